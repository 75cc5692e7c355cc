"""What a worker stores of a compilation; the job itself is done by a stand-in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from factories import claim_first, store_candidates, store_experiment
from sqlalchemy import select

from db import candidates, leases
from db.artifacts import ArtifactStore
from db.report import Report
from db.session import Database
from db.tables import CandidateArtifactRow, EvaluationRow
from db.work import perform
from paretofarm.lifecycle import Stage, Step
from paretofarm.settings import Settings
from workers.bench import Bench

NOTES = {"calibration": {"kept": "mse"}, "network_bytes": 7.0}
TRAIN, COMPILE = Step(Stage.TRAIN, rung=0), Step(Stage.COMPILE, "virtual", rung=0)


class StandIn(Bench):
    """Compiles by writing files. reference: whether the toolchain makes one."""

    reference = True

    def _run(self, claim: Any, keeper: Any, function: str, parameters: Any, on_epoch: Any = None) -> dict[str, Any]:
        assert function == "compile_trained"
        assert Path(parameters["onnx"]).read_bytes() == b"trained weights"
        found: dict[str, Any] = {
            "network": "int8",
            "test_set": "images",
            "reference": "paced" if self.reference else None,
        }
        for name, text in found.items():
            if text is not None:
                found[name] = str(Path(parameters["out"], name))
                Path(found[name]).write_text(text)
        return {**found, "metrics": {"network_bytes": 7.0}, "notes": NOTES}


@pytest.fixture
def bench(database: Database, database_url: str, tmp_path: Path) -> Iterator[StandIn]:
    settings = Settings(database_url, "redis://nowhere", (tmp_path / "artifacts").as_uri(), tmp_path / "cache")
    made = StandIn(settings, name="worker")
    yield made
    made.close()


def trained(database: Database, store: ArtifactStore) -> int:
    """Id of the queued compilation of a candidate that has trained weights."""
    with database.transaction() as session:
        (candidate_id,) = store_candidates(session, store_experiment(session).id)
        candidates.queue(session, candidate_id, [TRAIN, COMPILE])
        ids = {row.stage: row.id for row in session.scalars(select(EvaluationRow).filter_by(candidate_id=candidate_id))}
        artifact = store.put_bytes(b"trained weights", "trained_onnx")
        leases.report(session, claim_first(session, ids[Stage.TRAIN]), Report(artifacts=[artifact]))
        return ids[Stage.COMPILE]


@pytest.mark.parametrize("reference", [True, False])
def test_a_trained_network_is_kept_with_the_reference_that_it_is_timed_beside(
    bench: StandIn, database: Database, tmp_path: Path, reference: bool
) -> None:
    bench.reference = reference
    store = ArtifactStore((tmp_path / "artifacts").as_uri())
    compilation = trained(database, store)
    perform(database, compilation, 1, owner="worker", lease_s=60, work=bench.work)
    with database.transaction() as session:
        row = session.get_one(EvaluationRow, compilation)
        assert (row.status.value, row.reason, row.details) == ("done", None, NOTES)
        kept = session.scalars(select(CandidateArtifactRow).filter_by(evaluation_id=compilation))
        contents = {each.kind: store.fetch(each.sha256).read_text() for each in kept if each.device == "virtual"}
    expected = {"trained_network": "int8", "test_set": "images", "reference": "paced"}
    assert contents == {kind: text for kind, text in expected.items() if reference or kind != "reference"}
