"""What every toolchain must do, and what the one for onnxruntime does beside."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from small_training import SHAPE, SIDE, small_dataset, small_network, small_settings
from torch import nn

from paretofarm.errors import ConversionFailed
from paretofarm.runtimes import MeasurementSettings, OnnxRuntimeMeasurement
from workers.datasets import Split
from workers.export import export_onnx, run_onnx
from workers.toolchains import CompiledNetwork, Image, toolchain
from workers.training import train
from workers.training.batches import to_input

INT8 = OnnxRuntimeMeasurement(runtime="onnxruntime")
FP32 = OnnxRuntimeMeasurement(runtime="onnxruntime", precision="fp32")


def calibration_images() -> Iterator[Image]:
    for image in small_dataset().splits[Split.CALIBRATION].images:
        yield to_input(torch.from_numpy(image[None])).contiguous().numpy()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that has learnt something, so that the classes it gives mean something."""
    path = tmp_path_factory.mktemp("trained") / "network.onnx"
    network = small_network()
    train(network, small_dataset(), small_settings(epochs=[6]), epochs_total=6, seed=0)
    export_onnx(network, SHAPE, path)
    return path


def export(network: nn.Module, folder: Path) -> Path:
    export_onnx(network, SHAPE, folder / "network.onnx")
    return folder / "network.onnx"


class ToolchainContract:
    """Subclasses give the settings."""

    settings: MeasurementSettings

    def compile(self, source: Path, out: Path) -> CompiledNetwork:
        return toolchain(self.settings, {}, out.parent).compile(source, calibration_images(), "virtual", out)

    def test_the_file_is_where_it_was_asked_for_and_its_size_is_reported(self, trained: Path, tmp_path: Path) -> None:
        compiled = self.compile(trained, tmp_path / "compiled.onnx")
        assert compiled.path == tmp_path / "compiled.onnx"
        assert compiled.metrics["network_bytes"] == compiled.path.stat().st_size
        assert [path.name for path in tmp_path.iterdir()] == ["compiled.onnx"]

    def test_the_same_input_gives_the_same_bytes(self, trained: Path, tmp_path: Path) -> None:
        first, second = (self.compile(trained, tmp_path / name).path.read_bytes() for name in ("a", "b"))
        assert first == second

    def test_the_compiled_network_still_runs_and_agrees(self, trained: Path, tmp_path: Path) -> None:
        compiled = self.compile(trained, tmp_path / "compiled.onnx").path
        images = list(calibration_images())
        before, after = ([run_onnx(path, image) for image in images] for path in (trained, compiled))
        assert {logits.shape for logits in after} == {(1, 4, SIDE, SIDE)}
        assert np.mean(np.argmax(before, axis=2) == np.argmax(after, axis=2)) > 0.97

    def test_compiling_is_silent(
        self, trained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        self.compile(trained, tmp_path / "compiled.onnx")
        assert capfd.readouterr() == ("", "")
        assert caplog.records == []


class TestInt8(ToolchainContract):
    settings = INT8

    def test_agreement_with_the_float_network_is_noted(self, trained: Path, tmp_path: Path) -> None:
        compiled = self.compile(trained, tmp_path / "compiled.onnx")
        agreement = compiled.notes["int8_agreement"]
        assert isinstance(agreement, float)
        assert 0.97 < agreement <= 1

    def test_weights_are_int8_per_channel_and_activations_uint8(self, trained: Path, tmp_path: Path) -> None:
        graph = onnx.load(self.compile(trained, tmp_path / "compiled.onnx").path).graph
        convolutions = [node for node in graph.node if node.op_type == "Conv"]
        producers = {output: node for node in graph.node for output in node.output}
        tensors = {tensor.name: tensor for tensor in graph.initializer}
        assert len(convolutions) == 3
        for convolution in convolutions:
            activation, weight = (producers[name] for name in convolution.input[:2])
            assert {activation.op_type, weight.op_type} == {"DequantizeLinear"}
            assert tensors[activation.input[2]].data_type == onnx.TensorProto.UINT8
            assert tensors[weight.input[0]].data_type == onnx.TensorProto.INT8
            assert tensors[weight.input[1]].dims == tensors[weight.input[0]].dims[:1]

    def test_a_real_network_shrinks_to_nearly_a_quarter(self, tmp_path: Path) -> None:
        source = export(_wide(), tmp_path)
        compiled = self.compile(source, tmp_path / "compiled.onnx")
        assert compiled.metrics["network_bytes"] < 0.35 * source.stat().st_size

    def test_an_op_that_will_not_quantize_is_named(self, tmp_path: Path) -> None:
        source = export(_WithErf(), tmp_path)
        with pytest.raises(ConversionFailed, match=r"op Erf \(node \w+\) cannot be quantized to int8"):
            self.compile(source, tmp_path / "compiled.onnx")
        assert not (tmp_path / "compiled.onnx").exists()

    def test_a_convolution_that_stays_in_float_is_named(self, tmp_path: Path) -> None:
        """onnxruntime puts QDQ around a transposed convolution, and then runs it in float."""
        source = export(nn.Sequential(nn.ConvTranspose2d(3, 4, 2, stride=2), nn.ReLU(), nn.MaxPool2d(2)), tmp_path)
        with pytest.raises(ConversionFailed, match=r"op ConvTranspose \(node .*\) stays in float"):
            self.compile(source, tmp_path / "compiled.onnx")

    def test_no_calibration_image_is_refused(self, trained: Path, tmp_path: Path) -> None:
        with pytest.raises(ConversionFailed, match="at least one calibration image"):
            toolchain(INT8, {}, tmp_path).compile(trained, [], "virtual", tmp_path / "compiled.onnx")

    def test_images_of_another_size_are_refused(self, trained: Path, tmp_path: Path) -> None:
        images = [np.zeros((1, 3, SIDE * 2, SIDE * 2), np.float32)]
        with pytest.raises(ConversionFailed, match="cannot quantize the network"):
            toolchain(INT8, {}, tmp_path).compile(trained, images, "virtual", tmp_path / "compiled.onnx")


class TestFp32(ToolchainContract):
    settings = FP32

    def test_the_network_passes_through(self, trained: Path, tmp_path: Path) -> None:
        assert self.compile(trained, tmp_path / "compiled.onnx").path.read_bytes() == trained.read_bytes()


class _WithErf(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.erf(self.layer(images))


def _wide() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.Conv2d(64, 4, 1)
    )
