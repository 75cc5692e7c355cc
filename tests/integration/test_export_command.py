"""`paretofarm export`: a folder that runs without paretofarm."""

import hashlib
import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_results import TRAIN, done
from click.testing import CliRunner, Result
from factories import DOCUMENT, store_candidates, store_experiment
from PIL import Image
from small_training import CLASS_NAMES, SHAPE, SIDE, small_network
from sqlalchemy import select

from cli.main import main
from db import candidates
from db.artifacts import ArtifactStore
from db.report import Report
from db.session import Database
from db.tables import ArtifactRow, CandidateRow, EventRow
from paretofarm.calibration import CalibrationResult
from paretofarm.lifecycle import Stage, Step
from workers.datasets.decoding import decode
from workers.datasets.faces import write_faces
from workers.datasets.image_file import scan
from workers.datasets.listing import ClassifiedImage
from workers.export import export_onnx
from workers.session import infer, open_session

PER_CLASS = {name: {"iou": 0.5, "f1": 0.6, "pixels": 10} for name in CLASS_NAMES}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> ArtifactStore:
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", database_url)
    monkeypatch.setenv("PARETOFARM_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("PARETOFARM_CACHE", str(tmp_path / "cache"))
    return ArtifactStore(str(tmp_path / "artifacts"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data set and an ONNX network, made once: not to be changed."""
    folder = tmp_path_factory.mktemp("files")
    write_faces(folder / "faces", 60, SIDE, seed=1)
    export_onnx(small_network(), SHAPE, folder / "trained.onnx")
    return folder


@pytest.fixture
def trained(database: Database, store: ArtifactStore, tmp_path: Path, files: Path) -> int:
    """Id of a candidate with trained weights; its data set is on this host."""
    (tmp_path / "faces").symlink_to(files / "faces")
    dataset = {"type": "face_synthetics", "path": str(tmp_path / "faces"), "size": SIDE}
    training = {**DOCUMENT["training"], "dataset": dataset}
    space = {**DOCUMENT["search_space"], "input_size": SIDE, "downsample_blocks": 2}
    with database.transaction() as session:
        search = store_experiment(session, name="faces", training=training, search_space=space)
        (candidate_id,) = store_candidates(session, search.id)
        done(session, candidate_id, Step(Stage.BUILD), Report({"parameters": 1000.0}))
        candidates.queue(session, candidate_id, [TRAIN])
        details = {"per_class": PER_CLASS, "class_names": list(CLASS_NAMES)}
        artifact = store.put_file(files / "trained.onnx", "trained_onnx")
        done(session, candidate_id, TRAIN, Report({"miou": 0.5}, artifacts=[artifact], details=details))
    return candidate_id


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def test_what_was_exported_segments_a_picture_with_numpy_onnxruntime_and_pillow(trained: int, tmp_path: Path) -> None:
    out, mask = tmp_path / "out", tmp_path / "mask.png"
    assert run("export", trained, "--out", out).stderr.startswith("quantizing the trained network …\n\npython ")
    picture = tmp_path / "faces" / "000001.png"
    program = [sys.executable, "-I", str(out / "run.py"), str(picture), str(mask)]
    result = subprocess.run(program, capture_output=True, text=True, timeout=120, check=True)
    with Image.open(picture) as opened:
        pixels = np.asarray(opened.convert("RGB"), np.float32).transpose(2, 0, 1)[None] / 255
    expected = infer(open_session(out / "network.int8.onnx"), pixels)[0].argmax(axis=0)
    with Image.open(mask) as drawn:
        assert np.array_equal(np.asarray(drawn), expected)
    assert result.stdout.splitlines()[0].startswith(f"{CLASS_NAMES[expected.min()]}: ")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "I;16"])
def test_it_reads_a_picture_as_trainings_do(
    trained: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    run("export", trained, "--out", tmp_path / "out", "--no-int8")
    rng = np.random.default_rng(3)
    grey = rng.integers(0, 65536, (SIDE, SIDE), np.uint16)
    colours = Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 4), np.uint8))
    opened = Image.fromarray(grey) if mode == "I;16" else colours.convert("RGB").convert(mode)
    if mode in ("RGBA", "LA"):
        opened.putalpha(colours.getchannel("A"))
    opened.save(tmp_path / "picture.png")
    file = scan(tmp_path)["picture.png"]
    pixels, _ = decode(ClassifiedImage("picture", file, 0), size=SIDE, classes=1)
    monkeypatch.setattr(sys, "argv", ["run.py", str(file.path)])
    assert np.array_equal(runpy.run_path(str(tmp_path / "out" / "run.py"))["pixels"], pixels.astype(np.float32) / 255)


def test_a_trained_network_comes_in_float_and_int8_with_its_facts(
    trained: int, tmp_path: Path, store: ArtifactStore
) -> None:
    out = tmp_path / "out"
    result = run("export", trained, "--out", out)
    assert (result.exit_code, result.stderr.splitlines()[0]) == (0, "quantizing the trained network …")
    names = {"README.md", "architecture.json", "network.json", "network.fp32.onnx", "network.int8.onnx", "run.py"}
    assert {path.name for path in out.iterdir()} == names
    facts = json.loads((out / "network.json").read_text())
    assert (facts["run"], facts["class_names"]) == ("network.int8.onnx", list(CLASS_NAMES))
    assert facts["metrics"] == {"parameters": 1000.0, "miou": 0.5}
    exported = hashlib.sha256((out / "network.fp32.onnx").read_bytes()).hexdigest()
    assert store.size(exported)
    assert str(tmp_path) not in (out / "README.md").read_text()


def test_the_model_card_says_what_quantization_costs(trained: int, tmp_path: Path) -> None:
    run("export", trained, "--out", tmp_path / "out")
    facts = json.loads((tmp_path / "out" / "network.json").read_text())
    by_name = {network["file"]: network["calibration"] for network in facts["networks"]}
    found = CalibrationResult.from_dict(by_name["network.int8.onnx"])
    assert by_name["network.fp32.onnx"] is None
    assert set(found.int8) == {"minmax", "percentile", "mse"}
    card = (tmp_path / "out" / "README.md").read_text()
    assert "## Quantization of `network.int8.onnx`" in card
    assert f"In float32 the network scores {found.fp32:.4f} there" in card
    assert f"| {found.kept}, kept | {found.int8[found.kept]:.4f} | {found.gap_points:.2f} |" in card
    assert f"| {found.layers[0].layer} | {found.layers[0].op} |" in card


def test_what_the_search_compiled_keeps_its_calibration(trained: int, tmp_path: Path, database: Database) -> None:
    compiled = CalibrationResult("mse", 24, 0.6, {"minmax": 0.5, "mse": 0.59})
    with database.transaction() as session:
        candidates.queue(session, trained, [Step(Stage.COMPILE, "virtual", 0)])
        artifact = ArtifactStore(str(tmp_path / "artifacts")).put_bytes(b"any", "trained_network")
        details = {"precision": "int8", "calibration": compiled.to_dict()}
        done(session, trained, Step(Stage.COMPILE, "virtual", 0), Report(artifacts=[artifact], details=details))
    assert run("export", trained, "--out", tmp_path / "out").stderr.count("quantizing") == 0
    card = (tmp_path / "out" / "README.md").read_text()
    assert "## Quantization of `network.int8.virtual.onnx`" in card
    assert "| mse, kept | 0.5900 | 1.00 |" in card
    assert "only one layer" not in card


def test_an_export_is_remembered_so_that_gc_keeps_it(trained: int, tmp_path: Path, database: Database) -> None:
    run("export", trained, "--out", tmp_path / "out", "--no-int8")
    with database.transaction() as session:
        row = session.get_one(CandidateRow, trained)
        kinds = session.scalars(select(EventRow.kind).where(EventRow.candidate_id == trained)).all()
        assert row.exported_at is not None
        assert "candidate_exported" in kinds


def test_without_the_data_set_the_float_network_is_exported_and_both_outputs_say_what_is_missing(
    trained: int, tmp_path: Path
) -> None:
    (tmp_path / "faces").unlink()
    result = run("export", trained, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "no int8 network with trained weights" in result.stderr
    assert "no int8 network with trained weights" in (tmp_path / "out" / "README.md").read_text()
    assert not (tmp_path / "out" / "network.int8.onnx").exists()


def test_a_folder_that_holds_something_is_left_alone(trained: int, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    result = run("export", trained, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "is there already and not empty" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_file_that_is_gone_from_the_store_leaves_no_half_written_folder(
    trained: int, tmp_path: Path, store: ArtifactStore, database: Database
) -> None:
    with database.transaction() as session:
        sha256 = session.scalars(select(ArtifactRow.sha256)).one()
    store.fetch(sha256).unlink()
    result = run("export", trained, "--out", tmp_path / "out", "--no-int8")
    assert result.exit_code == 1
    assert f"artifact {sha256}" in result.stderr or sha256 in result.stderr
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


def test_a_candidate_without_a_network_is_refused(database: Database, store: ArtifactStore, tmp_path: Path) -> None:
    with database.transaction() as session:
        (candidate_id,) = store_candidates(session, store_experiment(session).id)
    result = run("export", candidate_id, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr == f"paretofarm: candidate {candidate_id} has no network to export, it is proposed\n"
