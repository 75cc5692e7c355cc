"""Networks for Qualcomm's HTP, by the real compiler: what comes out, that it is always the same, and who is refused."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from one_thread import one_thread
from small_training import SHAPE, SIDE, small_dataset, small_network, small_settings
from torch import nn

from paretofarm.errors import ConfigError, ConversionFailed, NotDeployable, WorkerCrashed
from paretofarm.qnn_network import CONTEXT, GENERAL_CONTEXT, WRAPPER, QnnInterface, parse_interface
from paretofarm.runtimes import MeasurementSettings, QnnMeasurement, QnnSimMeasurement
from paretofarm.soc import SOCS
from workers.datasets import Split
from workers.export import export_onnx
from workers.scored_images import scored_images
from workers.toolchains import CompiledNetwork, HeldOut, Image, htp_compiler, toolchain
from workers.toolchains.htp_compiler import HtpTarget
from workers.toolchains.qnn_calibration import spool
from workers.toolchains.qnn_quantization import quantize_for_htp
from workers.toolchains.qnn_wheel import qnn_wheel
from workers.training import train
from workers.training.batches import to_input

STAMPS = Path(__file__).parents[1] / "tools/htp_stamps.py"

INT8 = QnnMeasurement(runtime="qnn")
A16W8 = QnnMeasurement(runtime="qnn", precision="a16w8")


def calibration_images() -> Iterator[Image]:
    for image in small_dataset().splits[Split.CALIBRATION].images:
        yield to_input(torch.from_numpy(image[None])).contiguous().numpy()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trained") / "network.onnx"
    network = small_network()
    train(network, small_dataset(), small_settings(epochs=[6]), epochs_total=6, seed=0)
    export_onnx(network, SHAPE, path)
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: the reference network is compiled once per kind."""
    return tmp_path_factory.mktemp("cache")


def compiled(
    source: Path, out: Path, cache: Path, settings: MeasurementSettings = INT8, device: str = "sm8550"
) -> CompiledNetwork:
    return toolchain(settings, {}, cache).compile(source, calibration_images(), device, out)


def interface(package: Path) -> QnnInterface:
    with zipfile.ZipFile(package) as archive:
        return parse_interface(archive.read("interface.json"), package.name)


def export(network: nn.Module, folder: Path) -> Path:
    export_onnx(network, SHAPE, folder / "network.onnx")
    return folder / "network.onnx"


@pytest.mark.parametrize(("settings", "dtype"), [(INT8, "uint8"), (A16W8, "uint16")])
def test_a_package_holds_a_context_and_says_what_goes_in_and_out(
    trained: Path, cache: Path, tmp_path: Path, settings: QnnMeasurement, dtype: str
) -> None:
    made = compiled(trained, tmp_path / "network", cache, settings)
    assert made.path == tmp_path / "network"
    with zipfile.ZipFile(made.path) as package:
        assert package.namelist() == [GENERAL_CONTEXT, CONTEXT, WRAPPER, "interface.json"]
        assert made.metrics["network_bytes"] == package.getinfo(CONTEXT).file_size
    found = interface(made.path)
    assert (found.input.name, found.input.shape, found.input.dtype) == ("image", (1, SIDE, SIDE, 3), dtype)
    assert (found.output.name, found.output.shape, found.output.dtype) == ("logits", (1, SIDE, SIDE, 4), dtype)
    assert (found.soc, found.arch, found.qnn_version) == ("SM8550", 73, qnn_wheel().qnn_version)
    assert made.notes["precision"] == settings.precision
    assert isinstance(made.notes["int8_agreement"], float)
    assert made.notes["int8_agreement"] > 0.97


def test_beside_a_context_for_a_chip_lies_the_one_for_its_architecture(
    trained: Path, cache: Path, tmp_path: Path
) -> None:
    """For phones that refuse the first. It is the very one that `target: arch` compiles."""
    for_soc = compiled(trained, tmp_path / "soc", cache)
    for_arch = compiled(trained, tmp_path / "arch", cache, QnnMeasurement(runtime="qnn", target="arch"))
    with zipfile.ZipFile(for_soc.path) as one, zipfile.ZipFile(for_arch.path) as other:
        assert GENERAL_CONTEXT not in other.namelist()
        assert one.read(GENERAL_CONTEXT) == other.read(CONTEXT)
        assert one.read(CONTEXT) != other.read(CONTEXT)


def test_the_chip_gets_and_gives_integers_with_channels_last(trained: Path, cache: Path, tmp_path: Path) -> None:
    """Nothing is transposed or quantized within the latency."""
    made = compiled(trained, tmp_path / "network", cache)
    with zipfile.ZipFile(made.path) as package:
        graph = onnx.load_from_string(package.read(WRAPPER)).graph
    kinds = [value.type.tensor_type.elem_type for value in (*graph.input, *graph.output)]
    assert kinds == [onnx.TensorProto.UINT8, onnx.TensorProto.UINT8]


def test_the_reference_network_is_compiled_for_the_same_chip(trained: Path, cache: Path, tmp_path: Path) -> None:
    made = compiled(trained, tmp_path / "network", cache, A16W8, "sm8350")
    assert made.reference is not None
    found = interface(made.reference)
    assert (found.soc, found.precision, found.input.shape) == ("SM8350", "a16w8", (1, 192, 192, 3))


def test_the_same_input_gives_the_same_bytes_wherever_it_is_compiled(trained: Path, tmp_path: Path) -> None:
    packages = []
    for name in ("one", "another"):
        (tmp_path / name).mkdir()
        made = compiled(trained, tmp_path / name / f"{name}.zip", tmp_path / name / "cache")
        packages.append((made.path.read_bytes(), made.reference and made.reference.read_bytes()))
    assert packages[0] == packages[1]


def test_what_was_compiled_once_is_not_compiled_again(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compiled(trained, tmp_path / "first", tmp_path / "cache")
    monkeypatch.setattr(htp_compiler, "PROGRAM", tmp_path / "absent.py")
    second = compiled(trained, tmp_path / "second", tmp_path / "cache")
    assert second.path.read_bytes() == first.path.read_bytes()
    assert second.notes == first.notes


def test_other_images_another_precision_or_chip_are_other_networks(trained: Path, cache: Path, tmp_path: Path) -> None:
    images = [image * 0.5 for image in calibration_images()]
    made = [
        compiled(trained, tmp_path / "1", cache),
        compiled(trained, tmp_path / "2", cache, A16W8),
        compiled(trained, tmp_path / "3", cache, device="sm8350"),
        compiled(trained, tmp_path / "4", cache, QnnMeasurement(runtime="qnn", target="arch")),
        toolchain(INT8, {}, cache).compile(trained, images, "sm8550", tmp_path / "5"),
    ]
    assert len({one.path.read_bytes() for one in made}) == 5


def test_a_trained_network_is_compiled_in_the_ranges_of_the_calibration_that_is_kept(
    trained: Path, cache: Path, tmp_path: Path
) -> None:
    images, validation = list(calibration_images()), scored_images(small_dataset(), 12, Split.VALIDATION)
    held_out = HeldOut(validation, lambda share: None)
    made = {}
    for calibration in ("minmax", "percentile", "best"):
        settings = QnnMeasurement.model_validate({"runtime": "qnn", "calibration": calibration})
        compiler = toolchain(settings, {}, cache)
        made[calibration] = compiler.compile(trained, images, "sm8550", tmp_path / calibration, held_out)
    scores = {name: one.calibration.int8 for name, one in made.items() if one.calibration}
    assert set(scores["best"]) == {"minmax", "percentile", "mse"}
    assert scores["best"]["percentile"] == scores["percentile"]["percentile"]
    packages = {name: one.path.read_bytes() for name, one in made.items()}
    assert packages["minmax"] != packages["percentile"]
    with one_thread():
        plain = compiled(trained, tmp_path / "plain", tmp_path / "cache")
    assert plain.calibration is None
    assert plain.path.read_bytes() == packages["minmax"], "ranges of ours are onnxruntime's to the last bit"
    assert all(one.reference is not None for one in made.values())


def test_the_simulator_gets_the_very_file_that_a_phone_gets(trained: Path, cache: Path, tmp_path: Path) -> None:
    phone = compiled(trained, tmp_path / "phone", cache)
    simulator = compiled(trained, tmp_path / "simulator", cache, QnnSimMeasurement(runtime="qnn-sim"))
    assert simulator.path.read_bytes() == phone.path.read_bytes()


def test_a_depthwise_network_that_resizes_is_deployable(cache: Path, tmp_path: Path) -> None:
    made = compiled(export(_Mobile(), tmp_path), tmp_path / "compiled", cache)
    assert interface(made.path).output.shape == (1, SIDE, SIDE, 4)


def test_an_op_that_the_chip_does_not_have_is_named_with_the_reason(cache: Path, tmp_path: Path) -> None:
    source = export(_WithErf(), tmp_path)
    with pytest.raises(NotDeployable, match=r"SM8550 \(V73\) cannot run op Erf \(node \S+\): Operators of type `Erf`"):
        compiled(source, tmp_path / "compiled", cache)
    assert not (tmp_path / "compiled").exists()


def test_no_calibration_image_is_refused(trained: Path, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ConversionFailed, match="calibration images of one size, not 0"):
        toolchain(INT8, {}, cache).compile(trained, [], "sm8550", tmp_path / "compiled")


def test_images_of_another_size_are_refused(trained: Path, cache: Path, tmp_path: Path) -> None:
    images = [np.zeros((1, 3, SIDE * 2, SIDE * 2), np.float32)]
    with pytest.raises(ConversionFailed, match="cannot quantize the network"):
        toolchain(INT8, {}, cache).compile(trained, images, "sm8550", tmp_path / "compiled")


def test_a_device_class_that_is_no_chip_is_the_users_mistake(trained: Path, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"virtual is no known SoC; known are .*SM8350 \(V68\)"):
        compiled(trained, tmp_path / "compiled", cache, device="virtual")


def test_compiling_is_silent(
    trained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    compiled(trained, tmp_path / "compiled", tmp_path / "cache")
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


@pytest.mark.parametrize(
    ("program", "error", "words"),
    [
        ("import os; os.kill(os.getpid(), 9)", WorkerCrashed, "killed"),
        ("import os; os.write(2, b'oh no'); os.abort()", ConversionFailed, r"crashed \(status -6\): oh no"),
        ("raise SystemExit(0)", ConversionFailed, r"crashed \(status 0\)"),
    ],
)
def test_a_compiler_that_dies_is_told_from_one_that_refuses(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, error: type[Exception], words: str
) -> None:
    (tmp_path / "program.py").write_text(program)
    monkeypatch.setattr(htp_compiler, "PROGRAM", tmp_path / "program.py")
    with pytest.raises(error, match=words):
        compiled(trained, tmp_path / "compiled", tmp_path / "cache")


def test_the_table_of_chips_is_the_compilers_own(tmp_path: Path) -> None:
    """Each context says in plain text for which chip it is."""
    wheel = qnn_wheel()
    source = export(nn.Conv2d(3, 4, 1), tmp_path)
    quantize_for_htp(source, spool(calibration_images(), tmp_path / "images"), "int8", tmp_path / "quantized.onnx")
    options = [HtpTarget(soc, stamped=True).options for soc in SOCS]
    paths = (htp_compiler.PROGRAM, tmp_path / "quantized.onnx", wheel.provider, wheel.backend)
    done = subprocess.run(
        [sys.executable, str(STAMPS), *map(str, paths)],
        input=json.dumps(options),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    names = {"SM8475": "SM8450"}
    expected = [[names.get(soc.name, soc.name), soc.arch, soc.vtcm_mb] for soc in SOCS]
    assert json.loads(done.stdout.splitlines()[-1]) == expected


class _WithErf(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.erf(self.layer(images))


class _Mobile(nn.Module):
    """Resizes at both ends as `hourglass_mobile` does; depthwise convolution, hard-swish."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Hardswish(), nn.Conv2d(8, 4, 1)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        small = nn.functional.interpolate(images, scale_factor=0.5, mode="bilinear", align_corners=False)
        logits = self.layers(small)
        return nn.functional.interpolate(logits, scale_factor=2.0, mode="bilinear", align_corners=False)
