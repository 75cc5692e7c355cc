"""The real jobs as a worker runs them: architecture in, trained and compiled network out, through a fork server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from idx_data import write_idx

from paretofarm.architecture import Architecture
from paretofarm.calibration import CalibrationResult
from paretofarm.errors import ArchitectureError, ArtifactMissing, DataError, OutOfMemory
from paretofarm.labelled_images import decode
from paretofarm.spaces import HourglassMobileSpace, HourglassSpace, MobileClassifierSpace
from workers.datasets.faces import write_faces
from workers.isolation import ForkServer
from workers.session import infer, open_session

SIDE = 32
SPACE = HourglassMobileSpace(
    type="hourglass_mobile",
    input_size=SIDE,
    base_channels=(8,),
    hourglasses=(1,),
    downsample_blocks=2,
    downsample_layers=(1,),
    skip_layers=(0,),
    upsample_layers=(1,),
    post_upsample_layers=(0,),
)
ARCHITECTURE = SPACE.search_space().sample(np.random.default_rng(0))
IMAGES = 100
MEMORY_BYTES = 700_000_000

Result = dict[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    server = ForkServer(memory_bytes=MEMORY_BYTES)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    write_faces(folder, IMAGES, SIDE, seed=1)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def dataset(faces: Path) -> Result:
    return {"type": "face_synthetics", "path": str(faces), "size": SIDE, "limit": None}


@pytest.fixture
def network(dataset: Result, tmp_path: Path) -> Result:
    return {
        "space": SPACE.model_dump(mode="json"),
        "architecture": ARCHITECTURE.to_dict(),
        "dataset": dataset,
        "constraints": [],
        "seed": 2**63 - 1,
        "out": str(tmp_path),
    }


@pytest.fixture
def training(network: Result, dataset: Result, cache: Path) -> Result:
    settings = {"type": "segmentation", "dataset": dataset, "epochs": [1, 2], "batch_size": 8, "learning_rate": 5e-3}
    return {**network, "training": settings, "rung": 0, "checkpoint": None, "device": "cpu", "cache": str(cache)}


def run(server: ForkServer, function: str, parameters: Result) -> tuple[Result, list[Result]]:
    messages: list[Result] = []
    return server.run({"function": function, "parameters": parameters}, messages.append, 120), messages


def test_build_exports_and_counts(server: ForkServer, network: Result) -> None:
    built, _ = run(server, "build", network)
    assert built["metrics"]["parameters"] > 0
    assert built["metrics"]["macs"] > built["metrics"]["parameters"]
    assert infer(open_session(Path(built["onnx"])), np.zeros((1, 3, SIDE, SIDE), np.float32)).shape == (
        1,
        19,
        SIDE,
        SIDE,
    )


def test_the_same_seed_builds_the_same_bytes(server: ForkServer, network: Result) -> None:
    files = []
    for _ in range(2):
        built, _ = run(server, "build", network)
        files.append(Path(built["onnx"]).read_bytes())
    assert files[0] == files[1]


def test_a_built_network_compiles_to_int8(server: ForkServer, network: Result, dataset: Result, cache: Path) -> None:
    built, _ = run(server, "build", network)
    measurement = {"runtime": "onnxruntime", "calibration_images": 16}
    parameters = {**built, "dataset": dataset, "measurement": measurement, "cache": str(cache), "device": "virtual"}
    parameters |= {"out": network["out"]}
    compiled, _ = run(server, "compile", parameters)
    assert compiled["metrics"]["network_bytes"] == Path(compiled["network"]).stat().st_size
    assert 0 < compiled["notes"]["int8_agreement"] <= 1
    on_noise, _ = run(server, "compile", {**parameters, "dataset": None})
    assert on_noise["metrics"]["network_bytes"] > 0


def test_a_built_network_compiles_for_a_hexagon_processor(
    server: ForkServer, network: Result, dataset: Result, cache: Path
) -> None:
    """Qualcomm's compiler is started by the forked process, within its limit of memory."""
    built, _ = run(server, "build", network)
    measurement = {"runtime": "qnn", "calibration_images": 4}
    parameters = {**built, "dataset": dataset, "measurement": measurement, "cache": str(cache), "device": "sm8350"}
    compiled, _ = run(server, "compile", {**parameters, "out": network["out"]})
    assert compiled["notes"]["soc"] == "SM8350"
    assert compiled["metrics"]["network_bytes"] > 50_000
    assert Path(compiled["reference"]).is_file()


def test_a_rung_is_trained_told_and_resumed(server: ForkServer, training: Result, tmp_path: Path) -> None:
    first, messages = run(server, "train", training)
    assert [message["epoch"] for message in messages if message["type"] == "epoch"] == [1]
    assert set(first["metrics"]) == {"miou", "f1", "pixel_accuracy", "loss"}
    assert first["per_class"]["skin"]["pixels"] > 0
    assert first["epochs"] == 1

    out = tmp_path / "second"
    out.mkdir()
    resumed = {**training, "rung": 1, "checkpoint": first["checkpoint"], "out": str(out)}
    second, messages = run(server, "train", resumed)
    assert [message["epoch"] for message in messages if message["type"] == "epoch"] == [2]
    assert Path(second["checkpoint"]).parent == out
    assert infer(open_session(Path(second["onnx"])), np.zeros((1, 3, SIDE, SIDE), np.float32)).shape[1] == 19


def test_a_trained_network_teaches_another(server: ForkServer, training: Result, tmp_path: Path) -> None:
    teacher, _ = run(server, "train", {**training, "training": {**training["training"], "ema_decay": 0.9}})
    settings = {**training["training"], "distillation": {"weight": 0.9}}
    results = []
    for taught in ({}, {"teacher": training["architecture"], "teacher_checkpoint": teacher["checkpoint"]}):
        out = tmp_path / f"student{len(results)}"
        out.mkdir()
        student = {**training, **taught, "training": settings, "seed": 1, "out": str(out)}
        results.append(run(server, "train", student)[0])
    assert results[0]["metrics"] != results[1]["metrics"]
    with pytest.raises(ArtifactMissing, match="another network"):
        foreign = SPACE.search_space().sample(np.random.default_rng(5)).to_dict()
        run(server, "train", {**student, "teacher": foreign})


def test_the_strong_recipe_fits_into_a_job(server: ForkServer, training: Result) -> None:
    dataset = training["training"]["dataset"]
    settings = {"type": "segmentation", "dataset": dataset, "recipe": "strong", "quantization_aware": {"epochs": 1}}
    trained, _ = run(server, "train", {**training, "training": settings})
    assert 0 < trained["metrics"]["miou"] < 1


def test_a_trained_network_compiles_with_the_images_it_is_scored_on(
    server: ForkServer, training: Result, dataset: Result, cache: Path, tmp_path: Path
) -> None:
    trained, _ = run(server, "train", training)
    measurement = {"runtime": "onnxruntime", "calibration_images": 8, "test_images": 5}
    parameters = {"onnx": trained["onnx"], "dataset": dataset, "measurement": measurement, "cache": str(cache)}
    files: set[bytes] = set()
    notes = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        job = {**parameters, "device": "virtual", "out": str(tmp_path / name)}
        compiled, messages = run(server, "compile_trained", job)
        notes.append(compiled["notes"])
        files.add(Path(compiled["test_set"]).read_bytes())
    labelled = decode(files.pop())
    assert files == set(), "the same data set gives the same file"
    assert labelled.images.shape == (5, 3, SIDE, SIDE)
    assert compiled["notes"]["test_images"] == 5
    assert 0 < compiled["notes"]["float_scores"]["miou"] < compiled["notes"]["float_scores"]["pixel_accuracy"] <= 1
    int8 = infer(open_session(Path(compiled["network"])), labelled.inputs(0, 1))
    assert int8.shape == (1, 19, SIDE, SIDE)
    assert notes[0] == notes[1]
    assert compiled["reference"] is None
    assert all(0 < message["share"] <= 1 for message in messages)


def test_calibrations_of_a_trained_network_are_compared_on_the_validation_split(
    server: ForkServer, training: Result, dataset: Result, cache: Path, tmp_path: Path
) -> None:
    """In float32 it scores there what the training found."""
    trained, _ = run(server, "train", training)
    measurement = {"runtime": "onnxruntime", "calibration_images": 8, "test_images": 5}
    parameters = {"onnx": trained["onnx"], "dataset": dataset, "measurement": measurement, "cache": str(cache)}
    compiled, _ = run(server, "compile_trained", {**parameters, "device": "virtual", "out": str(tmp_path)})
    found = CalibrationResult.from_dict(compiled["notes"]["calibration"])
    assert found.fp32 == pytest.approx(trained["metrics"]["miou"], abs=1e-3)
    assert set(found.int8) == {"minmax", "percentile", "mse"}
    assert found.int8[found.kept] == max(found.int8.values())
    assert 0 < len(found.layers) <= 10


def test_with_a_trained_network_comes_the_reference_in_the_same_form(
    server: ForkServer, training: Result, dataset: Result, cache: Path, tmp_path: Path
) -> None:
    trained, _ = run(server, "train", training)
    measurement = {"runtime": "qnn", "calibration_images": 4, "test_images": 2}
    parameters = {"onnx": trained["onnx"], "dataset": dataset, "measurement": measurement, "cache": str(cache)}
    compiled, _ = run(server, "compile_trained", {**parameters, "device": "sm8350", "out": str(tmp_path)})
    assert Path(compiled["reference"]).is_file()
    assert compiled["notes"]["calibration"]["kept"] in ("minmax", "percentile", "mse")


def test_a_trained_classifier_compiles_for_phones_and_for_a_hexagon_processor(
    server: ForkServer, cache: Path, tmp_path: Path
) -> None:
    write_idx(tmp_path / "data", step=80)
    dataset = {"type": "idx", "path": str(tmp_path / "data"), "size": SIDE}
    space = MobileClassifierSpace(type="mobile_classifier", input_size=SIDE, ops=("mbconv",), squeeze=(True,))
    job = {
        "space": space.model_dump(mode="json"),
        "architecture": space.search_space().sample(np.random.default_rng(1)).to_dict(),
        "training": {"type": "classification", "dataset": dataset, "batch_size": 8, "learning_rate": 1e-2},
        **{"rung": 0, "checkpoint": None, "seed": 1, "device": "cpu", "cache": str(cache), "out": str(tmp_path)},
    }
    trained, _ = run(server, "train", job)
    assert set(trained["metrics"]) == {"accuracy", "f1", "loss"}
    assert trained["class_names"] == ["0", "1", "2"]
    for runtime, device in (("onnxruntime", "virtual"), ("qnn", "sm8350")):
        out = tmp_path / runtime
        out.mkdir()
        measurement = {"runtime": runtime, "calibration_images": 4, "test_images": 12}
        compilation = {"onnx": trained["onnx"], "dataset": dataset, "measurement": measurement, "cache": str(cache)}
        compiled, _ = run(server, "compile_trained", {**compilation, "device": device, "out": str(out)})
        calibration = compiled["notes"]["calibration"]
        assert calibration["fp32_accuracy"] == pytest.approx(trained["metrics"]["accuracy"])
        assert set(calibration["int8_accuracy"]) == {"minmax", "percentile", "mse"}
        assert set(compiled["notes"]["float_scores"]) == {"accuracy", "f1"}
        assert decode(Path(compiled["test_set"]).read_bytes()).labels.shape == (12, 1, 1)


def test_a_process_of_its_own_changes_nothing_in_the_result(server: ForkServer, training: Result) -> None:
    results = [run(server, "train", training)[0] for _ in range(2)]
    assert results[0] == results[1]


def test_a_foreign_architecture_is_the_users_error(server: ForkServer, network: Result) -> None:
    foreign = Architecture("hourglass", {"stem_stride": 2}).to_dict()
    with pytest.raises(ArchitectureError):
        run(server, "build", {**network, "architecture": foreign})


def test_a_missing_data_set_is_named(server: ForkServer, training: Result, tmp_path: Path) -> None:
    missing = {**training["training"]["dataset"], "path": str(tmp_path / "nowhere")}
    with pytest.raises(DataError, match="nowhere: no such folder"):
        run(server, "train", {**training, "training": {**training["training"], "dataset": missing}})


def test_a_training_for_a_gpu_runs_on_the_cpu_where_torch_knows_none(server: ForkServer, training: Result) -> None:
    told = {"device": "cuda", "gpu": "GPU-5f0a2c1e", "memory_share": 2**30}
    result, messages = run(server, "train", {**training, **told})
    assert (result["micro_batch"], result["memory"]) == (8, None)
    assert [each["memory"] for each in messages if each["type"] == "epoch"] == [None]


def test_a_footprint_is_told_of_networks_that_fit_nowhere(server: ForkServer, training: Result) -> None:
    def told(**changes: Any) -> int:
        found, _ = run(server, "footprint", {**training, "training": {**training["training"], **changes}})
        return int(found["bytes"])

    plain = told()
    weights = told(ema_decay=0.9) - plain
    assert weights > 0
    assert told(batch_size=16) - plain == plain - 4 * weights, "the rest is of the batch"
    assert told(amp=False) > plain
    space = HourglassSpace(
        type="hourglass", input_size=SIDE, base_channels=(1024,), ops=("conv7x7",), downsample_blocks=2
    )
    architecture = space.search_space().sample(np.random.default_rng(0))
    huge = {**training, "space": space.model_dump(mode="json"), "architecture": architecture.to_dict()}
    assert run(server, "footprint", huge)[0]["bytes"] > 10 * MEMORY_BYTES


def test_a_candidate_too_large_for_its_memory_limit_is_out_of_memory(server: ForkServer, network: Result) -> None:
    space = HourglassSpace(
        type="hourglass", input_size=SIDE, base_channels=(1024,), ops=("conv7x7",), downsample_blocks=2
    )
    architecture = space.search_space().sample(np.random.default_rng(0))
    huge = {**network, "space": space.model_dump(mode="json"), "architecture": architecture.to_dict()}
    with pytest.raises(OutOfMemory, match="does not fit into memory"):
        run(server, "build", huge)
