"""How the command line shows what a candidate scored on a device class."""

import json
from typing import Any

import pytest
from cli_results import done
from click.testing import CliRunner
from factories import store_candidates, store_experiment
from sqlalchemy import text

from cli.main import main
from db import candidates
from db.report import Report
from db.session import Database
from paretofarm.calibration import CalibrationResult, LayerNoise
from paretofarm.lifecycle import CandidateStatus, Stage, Step, Verdict

COMPILE_TRAINED, SCORE = Step(Stage.COMPILE, "virtual", 0), Step(Stage.SCORE, "virtual", 0)
OBJECTIVES = [{"name": "device_miou", "goal": "maximize", "device": "virtual"}]
CALIBRATION = CalibrationResult(
    kept="percentile",
    images=24,
    fp32=0.52,
    int8={"minmax": 0.5, "percentile": 0.51, "mse": 0.505},
    layers=(LayerNoise("stem.0", "Conv", 31.25, 0.0123),),
)
KEPT = {"phone": "virtual-9", "runtime": "onnxruntime", "simulated": True, "images": 200, "per_class": {}}


@pytest.fixture
def candidate_id(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """The only candidate of the search `scored`: never measured, scored on a virtual phone."""
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", database_url)
    with database.transaction() as session:
        search = store_experiment(session, name="scored", objectives=OBJECTIVES)
        (candidate_id,) = store_candidates(session, search.id)
        done(session, candidate_id, Step(Stage.BUILD), Report({"parameters": 1000.0}))
        candidates.queue(session, candidate_id, [COMPILE_TRAINED, SCORE])
        notes = {"float_scores": {"miou": 0.5}, "test_images": 200, "calibration": CALIBRATION.to_dict()}
        done(session, candidate_id, COMPILE_TRAINED, Report(details=notes))
        done(session, candidate_id, SCORE, Report({"device_miou": 0.4875}, details=KEPT, simulated=True))
        candidates.finish(session, candidate_id, Verdict(CandidateStatus.COMPLETE))
    return candidate_id


def say(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def ask(*arguments: str) -> Any:
    return json.loads(say(*arguments, "--json"))


def test_accuracy_on_a_phone_stands_beside_that_in_float32(candidate_id: int) -> None:
    shown = " ".join(say("candidate", str(candidate_id)).split())
    assert "device_miou on virtual (simulated) 0.4875" in shown
    assert "accuracy on virtual (simulated), 200 test images" in shown
    assert "miou 0.4875 (0.5000 in float32, -0.0125 on the phone)" in shown
    (score,) = ask("candidate", str(candidate_id))["scores"]
    assert (score["on_device"], score["in_float"]) == ({"miou": 0.4875}, {"miou": 0.5})


def test_what_quantization_costs_is_shown_before_any_phone_has_seen_it(candidate_id: int) -> None:
    shown = " ".join(say("candidate", str(candidate_id)).split())
    assert "quantized for virtual, tried on the compiling host with 24 validation images" in shown
    assert "calibration percentile 0.5100, minmax 0.5000, mse 0.5050" in shown
    assert "miou 0.5200 in float32 → 0.5100 gap 1.00 points layer stem.0 Conv, 31.2 dB, 1.23% of pixels change" in shown
    found = ask("candidate", str(candidate_id))["calibrations"]
    assert found == {"virtual": CALIBRATION.to_dict()}


def test_what_only_a_simulated_phone_has_scored_is_labelled(candidate_id: int, database: Database) -> None:
    assert "(simulated phone)" in say("front", "scored")
    assert "virtual (simulated)" in say("search", "show", "scored")
    (member,) = ask("front", "scored")["candidates"]
    assert (member["id"], member["simulated"]) == (candidate_id, True)
    (found,) = ask("candidates", "scored", "--where", "simulated = true and device_miou > 0.48")["candidates"]
    assert found["metrics"]["device_miou"] == 0.4875
    with database.transaction() as session:
        query = "SELECT simulated, device_miou FROM pareto_front WHERE search = 'scored'"
        assert session.execute(text(query)).one() == (True, 0.4875)
