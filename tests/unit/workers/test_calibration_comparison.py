"""Several calibrations of one trained network: the better one is kept, and the layer that is to blame is named."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from one_thread import one_thread
from torch import nn

from paretofarm.activation_histogram import ActivationHistogram
from paretofarm.calibration import CalibrationResult
from paretofarm.errors import ConversionFailed
from paretofarm.labelled_images import LabelledImages
from paretofarm.runtimes import MeasurementSettings, OnnxRuntimeMeasurement
from workers.export import export_onnx
from workers.session import infer, open_session
from workers.toolchains import CompiledNetwork, HeldOut, Image, activations, toolchain
from workers.toolchains.activations import activation_histograms

SIDE = 32
SHAPE = (1, 3, SIDE, SIDE)


class Glaring(nn.Module):
    """Tells pixels apart by small differences of colour, and has a channel that explodes where one is white."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(3, 4, 1)
        self.head = nn.Conv2d(4, 4, 1)
        with torch.no_grad():
            self.features.weight.copy_(_columns([*np.eye(3), [40, 40, 40]]))
            self.features.bias.copy_(torch.tensor([0.0, 0, 0, -80]))
            self.head.weight.copy_(_columns([[0, 0, 0, 0], *np.eye(4)[:3]]))
            self.head.bias.copy_(torch.tensor([0.45, 0, 0, 0]))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(torch.relu(self.features(images)))
        return logits


def _columns(rows: list[object]) -> torch.Tensor:
    return torch.tensor(np.array(rows, np.float32))[:, :, None, None]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("network") / "trained.onnx"
    export_onnx(Glaring().eval(), SHAPE, path)
    return path


def grey(count: int, seed: int) -> np.ndarray:
    """uint8 [N, 3, H, W]"""
    return np.random.default_rng(seed).integers(80, 150, (count, 3, SIDE, SIDE), dtype=np.uint8)


def calibration() -> list[Image]:
    """Thirty images, one of which has a white pixel."""
    images = grey(30, seed=1)
    images[7, :, 3, 3] = 255
    return [image[None].astype(np.float32) / 255 for image in images]


def held_out(network: Path, shares: list[float] | None = None) -> HeldOut:
    """Labelled by the float network itself."""
    unlabelled = LabelledImages(tuple("abcd"), 255, grey(4, seed=2), np.zeros((4, SIDE, SIDE), np.uint8))
    session = open_session(network)
    labels = [infer(session, unlabelled.inputs(index, index + 1))[0].argmax(0) for index in range(4)]
    labelled = LabelledImages(tuple("abcd"), 255, unlabelled.images, np.array(labels, np.uint8))
    return HeldOut(labelled, (shares if shares is not None else []).append)


def compiled(network: Path, folder: Path, shares: list[float] | None = None, **settings: object) -> CompiledNetwork:
    measurement = OnnxRuntimeMeasurement.model_validate({"runtime": "onnxruntime", **settings})
    compiler = toolchain(measurement, {}, folder)
    return compiler.compile(network, calibration(), "virtual", folder / "compiled.onnx", held_out(network, shares))


def result(made: CompiledNetwork) -> CalibrationResult:
    assert made.calibration is not None
    return made.calibration


def test_one_glaring_pixel_makes_the_extremes_worse_and_something_else_is_kept(network: Path, tmp_path: Path) -> None:
    found = result(compiled(network, tmp_path))
    assert found.fp32 == 1.0
    assert found.int8["minmax"] < 0.8
    assert found.int8["percentile"] > 0.95
    assert found.kept != "minmax"
    assert found.int8[found.kept] == max(found.int8.values())
    assert (found.images, list(found.int8)) == (4, ["minmax", "percentile", "mse"])


def test_what_is_written_is_the_network_of_the_kept_one(network: Path, tmp_path: Path) -> None:
    found = result(made := compiled(network, tmp_path))
    predict = open_session(made.path)
    held = held_out(network)
    assert held.score(lambda image: infer(predict, image), lambda share: None) == found.int8[found.kept]


def test_a_named_calibration_is_taken_whatever_it_scores(network: Path, tmp_path: Path) -> None:
    found = result(compiled(network, tmp_path, calibration="minmax"))
    assert found.kept == "minmax"
    assert set(found.int8) == {"minmax"}
    assert found.gap_points > 20


def test_extremes_of_ours_give_the_very_network_that_onnxruntimes_calibrator_gives(
    network: Path, tmp_path: Path
) -> None:
    ours = compiled(network, tmp_path, calibration="minmax").path.read_bytes()
    compiler = toolchain(OnnxRuntimeMeasurement(runtime="onnxruntime"), {}, tmp_path)
    with one_thread():
        untrained = compiler.compile(network, calibration(), "virtual", tmp_path / "untrained.onnx")
    assert untrained.path.read_bytes() == ours
    assert untrained.calibration is None


def test_the_layer_that_explodes_is_named_first(network: Path, tmp_path: Path) -> None:
    first, second = result(compiled(network, tmp_path, calibration="minmax")).layers
    assert (first.layer, first.op, second.layer) == ("features", "Conv", "head")
    assert first.sqnr_db < 25 < second.sqnr_db
    assert first.changed > 0.1 > second.changed


def test_layers_are_left_alone_where_nobody_asks(network: Path, tmp_path: Path) -> None:
    assert result(compiled(network, tmp_path, layer_sensitivity=False)).layers == ()


def test_the_logits_keep_their_extremes(network: Path, tmp_path: Path) -> None:
    """Two that are clipped to the same value would be the same class."""
    graph = onnx.load(compiled(network, tmp_path, calibration="percentile").path).graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    session = open_session(network)
    logits = [infer(session, image) for image in calibration()]
    scale = (np.max(logits) - min(0, np.min(logits))) / 255
    assert constants["logits_scale"] == pytest.approx(scale, rel=1e-6)


def test_progress_grows_to_the_end(network: Path, tmp_path: Path) -> None:
    shares: list[float] = []
    compiled(network, tmp_path, shares)
    assert shares == sorted(shares)
    assert (shares[0] > 0, shares[-1]) == (True, 1.0)


def test_the_same_input_gives_the_same_bytes_and_notes_in_any_process(network: Path, tmp_path: Path) -> None:
    """Names are hashed differently in each, and onnxruntime keeps tensors in sets."""
    program = f"import sys; sys.path[:0] = {sys.path!r}; import test_calibration_comparison as t; t.tell(sys.argv[1:])"
    told = []
    for seed in ("1", "2"):
        (tmp_path / seed).mkdir()
        argv = [sys.executable, "-c", program, str(network), str(tmp_path / seed)]
        done = subprocess.run(argv, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        told.append(done.stdout)
    assert told[0] == told[1]


def tell(argv: list[str]) -> None:
    """What a process of its own makes of it."""
    made = compiled(Path(argv[0]), Path(argv[1]))
    print(hashlib.sha256(made.path.read_bytes()).hexdigest(), json.dumps(result(made).to_dict()))


def test_a_network_with_more_tensors_than_fit_is_run_part_by_part(
    network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares: list[float] = []
    at_once = activation_histograms(network, calibration(), lambda share: None)
    monkeypatch.setattr(activations, "MOST_BYTES", 1)
    in_parts = activation_histograms(network, calibration(), shares.append)
    assert set(at_once) == set(in_parts) >= {"image", "logits"}
    assert all(same(at_once[name], in_parts[name]) for name in at_once)
    assert shares[-1] == 1.0


def same(one: ActivationHistogram, other: ActivationHistogram) -> bool:
    return (one.low, one.high) == (other.low, other.high) and np.array_equal(one.counts, other.counts)


def test_values_that_are_no_numbers_are_the_networks_fault(tmp_path: Path) -> None:
    broken = Glaring()
    with torch.no_grad():
        broken.head.bias.fill_(float("inf"))
    export_onnx(broken.eval(), SHAPE, tmp_path / "broken.onnx")
    with pytest.raises(ConversionFailed, match=r"tensor logits of the network has values that are no numbers"):
        compiled(tmp_path / "broken.onnx", tmp_path)


@pytest.mark.parametrize("precision", ["int8", "a16w8"])
def test_the_wheel_for_hexagon_processors_compares_too(network: Path, tmp_path: Path, precision: str) -> None:
    from workers.toolchains.qnn_quantization import compare_for_htp

    ranges, found = compare_for_htp(
        network, calibration(), precision, ("minmax", "percentile"), held_out(network), layers=True
    )
    assert found.fp32 == 1.0
    if precision == "int8":
        assert (found.kept, found.int8["minmax"] < 0.8, found.int8["percentile"] > 0.95) == ("percentile", True, True)
        assert ranges["logits"].high > 0.5
    else:
        assert min(found.int8.values()) > 0.99
    assert found.layers[0].layer == "features"


def test_settings_say_what_is_tried() -> None:
    from pydantic import TypeAdapter, ValidationError

    parse = TypeAdapter(MeasurementSettings).validate_python
    assert parse({"runtime": "onnxruntime"}).calibration == "best"
    assert parse({"runtime": "snpe"}).calibration == "minmax"
    for document in ({"runtime": "snpe", "calibration": "best"}, {"runtime": "qnn", "calibration": "entropy"}):
        with pytest.raises(ValidationError, match="calibration"):
            parse(document)
