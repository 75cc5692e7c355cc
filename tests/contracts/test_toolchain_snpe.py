"""The toolchain snpe with scripted stand-ins for Qualcomm's tools: arguments, environment, files, and whose fault."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from fake_snpe import make_sdk, remove
from torch import nn

from paretofarm.errors import ConfigError, ConversionFailed, NotDeployable, WorkerCrashed
from paretofarm.packed_network import DESCRIPTION, NETWORK, parse_description
from paretofarm.runtimes import SnpeMeasurement
from paretofarm.snpe_network import SnpeNetwork
from workers.export import export_onnx
from workers.toolchains import CompiledNetwork, Image, toolchain

SETTINGS = SnpeMeasurement(runtime="snpe")
SHAPE = (1, 3, 16, 24)
CONVERTER = "bin/x86_64-linux-clang/snpe-onnx-to-dlc"


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sdk(tmp_path_factory.mktemp("snpe") / "sdk")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, so that most tests need not wait for a reference network."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(nn.Conv2d(3, 5, 1), tmp_path_factory.mktemp("network"))


def export(network: nn.Module, folder: Path) -> Path:
    export_onnx(network, SHAPE, folder / "network.onnx")
    return folder / "network.onnx"


def images() -> Iterator[Image]:
    """Channels 0, 1 and 2 are dark, grey and bright."""
    for _ in range(3):
        yield np.broadcast_to(np.array([0.25, 0.5, 0.75], np.float32)[:, None, None], SHAPE)


def compiled(
    sdk: Path,
    source: Path,
    folder: Path,
    settings: SnpeMeasurement = SETTINGS,
    device: str = "sm8550",
    cache: Path | None = None,
) -> CompiledNetwork:
    environment = {**os.environ, "SNPE_ROOT": str(sdk), "PARETOFARM_DATABASE_PASSWORD": "secret"}
    compiler = toolchain(settings, environment, cache or folder / "cache")
    return compiler.compile(source, images(), device, folder / "network.zip")


def dlc(archive: Path) -> dict[str, Any]:
    with ZipFile(archive) as opened:
        content: dict[str, Any] = json.loads(opened.read(NETWORK))
        return content


def test_a_network_is_converted_quantized_and_prepared_for_its_chip(
    sdk: Path, network: Path, tmp_path: Path, cache: Path
) -> None:
    result = compiled(sdk, network, tmp_path, cache=cache)
    content = dlc(result.path)
    assert (content["stage"], content["soc"], content["bits"]) == ("prepared", "sm8550", "8")
    assert content["input"] == [1, 16, 24, 3]
    assert result.metrics == {"network_bytes": float(len(json.dumps(content)))}
    assert result.notes == {"precision": "int8", "soc": "SM8550", "sdk": "2.31.0.250130"}


def test_calibration_images_go_in_channels_last(sdk: Path, network: Path, tmp_path: Path, cache: Path) -> None:
    content = dlc(compiled(sdk, network, tmp_path, cache=cache).path)
    assert content["images"] == 3
    assert content["means"] == pytest.approx([0.25, 0.5, 0.75])


def test_what_the_phone_cannot_ask_is_written_beside(sdk: Path, network: Path, tmp_path: Path, cache: Path) -> None:
    with ZipFile(compiled(sdk, network, tmp_path, cache=cache).path) as archive:
        about = parse_description(SnpeNetwork, archive.read(DESCRIPTION), "network.zip")
    assert (about.input_shape, about.output_shape) == ((1, 3, 16, 24), (1, 5, 16, 24))
    assert (about.soc, about.arch, about.output_bytes) == ("SM8550", 73, 5 * 16 * 24 * 4)


def test_the_same_input_gives_the_same_bytes(sdk: Path, network: Path, tmp_path: Path, cache: Path) -> None:
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        contents.append(compiled(sdk, network, tmp_path / name, cache=cache).path.read_bytes())
    assert contents[0] == contents[1]


def test_the_reference_is_compiled_once_for_a_chip(sdk: Path, network: Path, tmp_path: Path) -> None:
    first, again = (compiled(sdk, network, tmp_path).reference for _ in range(2))
    other = compiled(sdk, network, tmp_path, device="sm8350").reference
    assert first is not None and other is not None
    assert first == again != other
    assert (dlc(first)["soc"], dlc(first)["input"]) == ("sm8550", [1, 192, 192, 3])
    assert dlc(other)["soc"] == "sm8350"


def test_activations_of_16_bits_are_asked_for(sdk: Path, network: Path, tmp_path: Path) -> None:
    wide = SnpeMeasurement(runtime="snpe", precision="a16w8", socs={"lab": "SM8650"})
    content = dlc(compiled(sdk, network, tmp_path, wide, "lab").path)
    assert (content["bits"], content["soc"]) == ("16", "sm8650")


def test_an_older_sdks_quantizer_is_found(network: Path, tmp_path: Path) -> None:
    sdk = make_sdk(tmp_path / "sdk")
    (sdk / "bin/x86_64-linux-clang/snpe-dlc-quant").rename(sdk / "bin/x86_64-linux-clang/snpe-dlc-quantize")
    assert dlc(compiled(sdk, network, tmp_path).path)["stage"] == "prepared"


def test_an_op_that_the_converter_does_not_know_is_named(sdk: Path, tmp_path: Path) -> None:
    class WithErf(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.erf(images)

    source = export(WithErf(), tmp_path)
    with pytest.raises(ConversionFailed, match=r"snpe-onnx-to-dlc: op erf \(node \w+\) is not supported"):
        compiled(sdk, source, tmp_path)
    assert not (tmp_path / "network.zip").exists()


def test_what_only_the_graph_compiler_refuses_is_not_deployable(sdk: Path, tmp_path: Path) -> None:
    source = export(nn.Conv2d(3, 101, 1), tmp_path)
    with pytest.raises(NotDeployable, match=r"snpe-dlc-graph-prepare: op Conv2d \(node conv_7\) is not supported"):
        compiled(sdk, source, tmp_path)


def test_no_calibration_image_is_refused(sdk: Path, network: Path, tmp_path: Path) -> None:
    with pytest.raises(ConversionFailed, match="at least one calibration image"):
        toolchain(SETTINGS, {"SNPE_ROOT": str(sdk)}, tmp_path).compile(network, [], "sm8550", tmp_path / "network.zip")


def test_a_host_without_the_sdk_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SNPE_ROOT names its folder"):
        toolchain(SETTINGS, {}, tmp_path)
    sdk = make_sdk(tmp_path / "sdk")
    remove(sdk, CONVERTER, "bin/x86_64-linux-clang/snpe-dlc-quant")
    with pytest.raises(ConfigError, match="has no snpe-onnx-to-dlc, snpe-dlc-quant"):
        toolchain(SETTINGS, {"SNPE_ROOT": str(sdk)}, tmp_path)


@pytest.mark.parametrize(
    ("script", "kind", "reason"),
    [
        ("echo \"ModuleNotFoundError: No module named 'numpy'\" >&2; exit 1", ConfigError, "does not run on this host"),
        ("kill -9 $$", WorkerCrashed, "snpe-onnx-to-dlc was killed by SIGKILL"),
        ("exit 0", ConversionFailed, r"snpe-onnx-to-dlc left no float\.dlc: it says nothing"),
        ("echo 'ERROR - Node /up/Resize: no such mode'; exit 1", ConversionFailed, "node /up/Resize: no such mode"),
    ],
)
def test_whose_fault_a_broken_tool_is(
    network: Path, tmp_path: Path, script: str, kind: type[Exception], reason: str
) -> None:
    sdk = make_sdk(tmp_path / "sdk")
    (sdk / CONVERTER).write_text(f"#!/bin/sh\n{script}\n")
    with pytest.raises(kind, match=reason):
        compiled(sdk, network, tmp_path)


def test_a_tool_that_cannot_be_started_is_the_operators_fault(network: Path, tmp_path: Path) -> None:
    sdk = make_sdk(tmp_path / "sdk")
    (sdk / CONVERTER).chmod(0o644)
    with pytest.raises(ConfigError, match="snpe-onnx-to-dlc cannot be started: Permission denied"):
        compiled(sdk, network, tmp_path)
    # The converter is a script for a Python with packages of its own: that may be named.
    environment = {**os.environ, "SNPE_ROOT": str(sdk), "PARETOFARM_SNPE_PYTHON": sys.executable}
    toolchain(SETTINGS, environment, tmp_path).compile(network, images(), "sm8550", tmp_path / "network.zip")
