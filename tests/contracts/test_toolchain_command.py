"""The toolchain command: our ONNX network as it is, or what a program of the operator's makes of it."""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import yaml
from device_runtime_contract import some_images
from torch import nn

from paretofarm.errors import ConfigError, ConversionFailed, WorkerCrashed
from paretofarm.labelled_images import LabelledImages
from paretofarm.packed_network import DESCRIPTION, NETWORK
from paretofarm.runtimes import CommandMeasurement, OnnxRuntimeMeasurement
from workers.export import export_onnx
from workers.toolchains import CompiledNetwork, HeldOut, toolchain

SETTINGS = CommandMeasurement(runtime="command", command="mine")
SHAPE = (1, 3, 32, 32)
CONVERTER = """
import hashlib, json, os, sys
out, *files = sys.argv[1:]
sums = {os.path.basename(file): hashlib.sha256(open(file, "rb").read()).hexdigest() for file in files}
images = [os.path.getsize(line) for file in files if file.endswith(".txt") for line in open(file).read().split()]
json.dump({"sums": sums, "images": images, "environment": dict(os.environ), "here": os.listdir(".")}, open(out, "w"))
"""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("network")
    export_onnx(nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU()), SHAPE, folder / "network.onnx")
    return folder / "network.onnx"


def compiled(
    network: Path,
    folder: Path,
    convert: dict[str, Any] | None = None,
    settings: CommandMeasurement = SETTINGS,
    held_out: HeldOut | None = None,
) -> CompiledNetwork:
    time = {"argv": ["runner", "{network}"], "latency": {"regex": "(?P<time>.+)", "unit": "ms"}}
    document = {"network": "network.bin", "time": time, "convert": convert}
    (folder / "commands.yaml").write_text(yaml.safe_dump({"commands": {"mine": document}}))
    environment = {**os.environ, "PARETOFARM_COMMANDS": str(folder / "commands.yaml"), "PARETOFARM_SECRET": "x"}
    images = [image[None] for image in some_images(4)]
    compiler = toolchain(settings, environment, folder / "cache")
    return compiler.compile(network, images, "phone", folder / "out.zip", held_out)


def content(archive: Path | None) -> bytes:
    assert archive is not None
    with ZipFile(archive) as opened:
        return opened.read(NETWORK)


def converter(folder: Path, text: str = CONVERTER) -> list[str]:
    (folder / "converter.py").write_text(text)
    return [sys.executable, str(folder / "converter.py")]


def test_without_a_conversion_phones_get_our_onnx_network(network: Path, tmp_path: Path) -> None:
    result = compiled(network, tmp_path)
    ours = OnnxRuntimeMeasurement(runtime="onnxruntime")
    images = [image[None] for image in some_images(4)]
    expected = toolchain(ours, {}, tmp_path).compile(network, images, "phone", tmp_path / "int8.onnx")
    assert content(result.path) == expected.path.read_bytes()
    assert result.notes == expected.notes
    assert result.metrics == expected.metrics
    with ZipFile(result.path) as archive:
        assert json.loads(archive.read(DESCRIPTION)) == {"input_shape": [1, 3, 32, 32], "output_shape": [1, 5, 32, 32]}


def test_fp32_passes_through_with_a_reference_in_fp32(network: Path, tmp_path: Path) -> None:
    result = compiled(network, tmp_path, settings=SETTINGS.model_copy(update={"precision": "fp32"}))
    assert content(result.path) == network.read_bytes()
    assert result.notes == {"precision": "fp32"}
    assert len(content(result.reference)) > len(content(compiled(network, tmp_path).reference))


def test_calibrations_of_a_trained_network_are_compared_where_ours_goes_into_it(network: Path, tmp_path: Path) -> None:
    images = np.zeros((2, 3, *SHAPE[2:]), np.uint8)
    labelled = LabelledImages(tuple("abcde"), 255, images, np.zeros((2, *SHAPE[2:]), np.uint8))
    held_out = HeldOut(labelled, lambda share: None)
    ours = compiled(network, tmp_path, {"argv": [*converter(tmp_path), "{out}", "{onnx}"]}, held_out=held_out)
    assert ours.calibration is not None
    assert set(ours.calibration.int8) == {"minmax", "percentile", "mse"}
    theirs = compiled(network, tmp_path, {"argv": [*converter(tmp_path), "{out}", "{float_onnx}"]}, held_out=held_out)
    assert theirs.calibration is None


def test_a_conversion_gets_what_it_asks_for(network: Path, tmp_path: Path) -> None:
    argv = [*converter(tmp_path), "{out}", "{onnx}", "{float_onnx}", "{calibration}"]
    result = compiled(network, tmp_path, {"argv": argv, "environment": {"MODE": "{precision}"}})
    made = json.loads(content(result.path))
    assert made["sums"]["float_network.onnx"] == hashlib.sha256(network.read_bytes()).hexdigest()
    assert set(made["sums"]) == {"network.onnx", "float_network.onnx", "calibration.txt"}
    assert made["images"] == [3 * 32 * 32 * 4] * 4
    assert made["here"] == []
    assert made["environment"]["MODE"] == "int8"
    assert not any(name.startswith("PARETOFARM") for name in made["environment"])
    assert result.notes["precision"] == "int8"
    assert "int8_agreement" in result.notes


def test_the_reference_goes_the_same_way_once(network: Path, tmp_path: Path) -> None:
    argv = [*converter(tmp_path), "{out}", "{float_onnx}"]
    first, again = (compiled(network, tmp_path, {"argv": argv}).reference for _ in range(2))
    assert first == again
    assert list(json.loads(content(first))["sums"]) == ["float_network.onnx"]
    argv = [*converter(tmp_path, f"{CONVERTER}\n# another version\n"), "{out}", "{float_onnx}"]
    assert compiled(network, tmp_path, {"argv": argv}).reference != first


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("import sys; sys.exit('op Erf is unknown')", ConversionFailed, r"mine failed \(exit code 1\): op Erf is unk"),
        ("", ConversionFailed, "the conversion of mine left no file"),
        ("import os; os.kill(os.getpid(), 11)", WorkerCrashed, "was killed by SIGSEGV"),
        ("import time; time.sleep(60)", ConversionFailed, "did not end within 0.2 s"),
    ],
)
def test_whose_fault_a_failed_conversion_is(
    network: Path, tmp_path: Path, text: str, kind: type[Exception], reason: str
) -> None:
    timeout = 0.2 if "sleep" in text else 30
    argv = [*converter(tmp_path, text), "{out}", "{float_onnx}"]
    with pytest.raises(kind, match=reason):
        compiled(network, tmp_path, {"argv": argv, "timeout_s": timeout})


def test_a_program_that_is_not_there_is_the_operators_fault(network: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"/absent cannot be started: No such file"):
        compiled(network, tmp_path, {"argv": [f"{tmp_path}/absent", "{out}", "{onnx}"]})


def test_a_worker_without_the_file_of_commands_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="on workers: PARETOFARM_COMMANDS names it"):
        toolchain(SETTINGS, {}, tmp_path)
