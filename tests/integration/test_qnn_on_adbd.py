"""From torch to what a Snapdragon's HTP computes: trained, quantized, compiled by Qualcomm's compiler, pushed over ADB
to AOSP's own daemon, run there in Qualcomm's simulator of the HTP, pulled back and scored.

The binary that the simulator runs is the one that a phone would get. How fast it is there, no simulator can tell.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from contracts.phone_processes import fetch_adbd, start_adbd
from small_training import CLASS_NAMES, SHAPE, rectangles, small_dataset, small_network, small_settings

from device_agents.link import open_link
from device_agents.runtimes import InstalledNetwork
from device_agents.runtimes.qnn_sim import QnnSimRuntime
from paretofarm.errors import ConfigError, NotDeployable
from paretofarm.ports import DeviceLink
from paretofarm.runtimes import QnnSimMeasurement
from paretofarm.scores import count, score
from workers.datasets import Split
from workers.export import export_onnx
from workers.toolchains import Image, toolchain
from workers.training import train
from workers.training.batches import to_input

TEST_IMAGES = 48
TEST = rectangles(TEST_IMAGES, seed=99)
POINTS = 0.03
"""Greatest loss of mIoU by quantization and simulation."""


def inputs(images: np.ndarray) -> Image:
    return to_input(torch.from_numpy(images)).contiguous().numpy()


def miou(logits: np.ndarray) -> float:
    counts = count(TEST.masks, logits.argmax(axis=1), classes=len(CLASS_NAMES), ignore_index=255)
    return score(counts, CLASS_NAMES).miou


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    network = small_network()
    train(network, small_dataset(), small_settings(epochs=[12]), epochs_total=12, seed=0)
    return network.eval()


@pytest.fixture(scope="module")
def onnx(network: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("network") / "network.onnx"
    export_onnx(network, SHAPE, path)
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviceLink]:
    phone = start_adbd(fetch_adbd(), tmp_path_factory.mktemp("phone"))
    link = open_link(phone.address, tmp_path_factory.mktemp("key") / "adbkey")
    yield link
    link.close()
    phone.stop()


@pytest.fixture
def home(tmp_path: Path) -> str:
    """On the "phone", whose file system is this machine's."""
    return str(tmp_path / "phone")


def compiled(onnx: Path, settings: QnnSimMeasurement, device: str, cache: Path, out: Path) -> Path:
    images = (inputs(image[None]) for image in small_dataset().splits[Split.CALIBRATION].images)
    return toolchain(settings, {}, cache).compile(onnx, images, device, out).path


def installed(link: DeviceLink, runtime: QnnSimRuntime, local: Path, home: str, scratch: Path) -> InstalledNetwork:
    for name, file in runtime.files(local, scratch).items():
        link.push(file, f"{home}/network/{name}")
    return InstalledNetwork(local, f"{home}/network")


@pytest.mark.parametrize(("device", "precision"), [("sm8350", "int8"), ("sm8550", "int8"), ("sm8550", "a16w8")])
def test_what_the_htp_computes_is_as_accurate_as_the_float_network(
    network: torch.nn.Module,
    onnx: Path,
    link: DeviceLink,
    cache: Path,
    home: str,
    tmp_path: Path,
    device: str,
    precision: str,
) -> None:
    images = inputs(TEST.images)
    with torch.inference_mode():
        expected = miou(network(torch.from_numpy(images)).numpy())
    settings = QnnSimMeasurement.model_validate({"runtime": "qnn-sim", "precision": precision})
    runtime = QnnSimRuntime(settings, sys.executable, home)
    assert runtime.prepare(link).startswith("HTP simulator, QNN 2.")
    package = compiled(onnx, settings, device, cache, tmp_path / "package")
    found = runtime.infer(link, installed(link, runtime, package, home, tmp_path), images, folder=f"{home}/job")
    assert found.shape == (TEST_IMAGES, len(CLASS_NAMES), *SHAPE[2:])
    assert expected > 0.5
    assert miou(found) > expected - POINTS


def test_the_two_chips_get_binaries_of_their_own(onnx: Path, cache: Path, tmp_path: Path) -> None:
    settings = QnnSimMeasurement(runtime="qnn-sim")
    packages = [compiled(onnx, settings, device, cache, tmp_path / device) for device in ("sm8350", "sm8550")]
    assert packages[0].read_bytes() != packages[1].read_bytes()


def test_a_simulator_has_no_latency(onnx: Path, link: DeviceLink, home: str) -> None:
    runtime = QnnSimRuntime(QnnSimMeasurement(runtime="qnn-sim"), sys.executable, home)
    with pytest.raises(ConfigError, match="a simulator has no latency"):
        runtime.time_block(link, InstalledNetwork(onnx, home), folder=home, inferences=5)


def test_a_context_that_does_not_load_is_not_deployable(
    onnx: Path, link: DeviceLink, cache: Path, home: str, tmp_path: Path
) -> None:
    settings = QnnSimMeasurement(runtime="qnn-sim")
    runtime = QnnSimRuntime(settings, sys.executable, home)
    network = installed(link, runtime, compiled(onnx, settings, "sm8550", cache, tmp_path / "package"), home, tmp_path)
    (tmp_path / "context.bin").write_bytes(b"not a context")
    link.push(tmp_path / "context.bin", f"{home}/network/context.bin")
    with pytest.raises(NotDeployable, match="the HTP simulator cannot run the network: "):
        runtime.infer(link, network, inputs(TEST.images[:1]), folder=f"{home}/job")


def test_a_python_without_the_simulator_is_told(link: DeviceLink, home: str) -> None:
    settings = QnnSimMeasurement(runtime="qnn-sim")
    with pytest.raises(ConfigError, match=r"absent/python cannot simulate the HTP: .*absent/python"):
        QnnSimRuntime(settings, "/absent/python", home).prepare(link)
    with pytest.raises(ConfigError, match="PARETOFARM_QNN_SIM_PYTHON: the path, on the phone"):
        QnnSimRuntime.of(settings, {})
