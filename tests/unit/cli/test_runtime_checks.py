"""What doctor says of device runtimes: nothing is asked for that is not used, and what is missing is named."""

import sys
from collections.abc import Mapping
from pathlib import Path

import fake_qnn
import yaml
from fake_snpe import make_sdk, remove

from cli.finding import Finding
from cli.runtime_checks import RUNTIME_CHECKS


def findings(environment: Mapping[str, str]) -> dict[str, Finding]:
    return {finding.name: finding for check in RUNTIME_CHECKS for finding in check(environment)}


def test_a_machine_without_sdks_lacks_nothing() -> None:
    found = findings({})
    assert {"runtime onnxruntime", "runtime snpe", "runtime command"} <= set(found)
    assert all(found[name].ok for name in ("runtime onnxruntime", "runtime snpe", "runtime command"))
    assert found["runtime snpe"].what == "not used: SNPE_ROOT is not set"


def test_a_program_that_is_no_file_is_named(tmp_path: Path) -> None:
    found = findings({"PARETOFARM_ONNXRUNTIME_RUN": f"{tmp_path}/run"})["runtime onnxruntime"]
    assert not found.ok
    assert found.what == f"PARETOFARM_ONNXRUNTIME_RUN names {tmp_path}/run, which is no file"


def test_an_sdk_is_looked_at_with_both_sides_eyes(tmp_path: Path) -> None:
    root = make_sdk(tmp_path / "sdk")
    found = findings({"SNPE_ROOT": str(root)})
    assert found["runtime snpe, worker"].what == "version 2.31.0.250130"
    assert found["runtime snpe, agent"].what == "libraries for V68, V73"
    remove(root, "bin/aarch64-android", "bin/x86_64-linux-clang/snpe-dlc-graph-prepare")
    found = findings({"SNPE_ROOT": str(root)})
    assert not any(found[name].ok or found[name].essential for name in ("runtime snpe, worker", "runtime snpe, agent"))
    assert "bin/aarch64-android/snpe-net-run" in found["runtime snpe, agent"].what
    assert "snpe-dlc-graph-prepare" in found["runtime snpe, worker"].what


def test_each_command_of_the_file_is_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "commands.yaml"
    time = {"argv": ["{tools}/runner"], "latency": {"regex": "(?P<time>.+)", "unit": "ms"}}
    common = {"network": "network.bin", "time": time}
    whole = {**common, "files": {"runner": str(file)}, "convert": {"argv": [sys.executable, "{onnx}", "{out}"]}}
    half = {**common, "files": {"runner": "/opt/none"}, "convert": {"argv": ["no-such-program", "{onnx}", "{out}"]}}
    file.write_text(yaml.safe_dump({"commands": {"whole": whole, "half": half}}))
    found = findings({"PARETOFARM_COMMANDS": str(file)})
    assert found["command whole"].ok
    assert found["command half"].what == "not on this host: /opt/none, no-such-program"
    file.write_text("commands: 3")
    assert findings({"PARETOFARM_COMMANDS": str(file)})["runtime command"].what.startswith(f"{file}: commands")


def test_qnn_without_an_sdk_compiles_with_the_wheel() -> None:
    found = findings({})
    assert found["runtime qnn, worker"].what.startswith("compiles with onnxruntime-qnn 2.7.0 (QNN 2.")
    assert found["runtime qnn, agent"].what == "not used: PARETOFARM_QNN_SDK is not set"
    assert found["runtime qnn, agent"].ok


def test_the_sdk_of_qnn_is_looked_at_and_its_profile_reader_is_started(tmp_path: Path) -> None:
    root = fake_qnn.make_sdk(tmp_path / "sdk")
    found = findings({"QNN_SDK_ROOT": str(root)})
    assert found["runtime qnn, worker"].what == f"compiles with the SDK in {root}, version {fake_qnn.VERSION}"
    sdk = f"SDK {fake_qnn.VERSION}, libraries for V68, V73; qnn-profile-viewer runs"
    assert found["runtime qnn, agent"].what == sdk
    (root / "bin/x86_64-linux-clang/qnn-profile-viewer").write_text("#!/bin/sh\necho no license >&2; exit 1\n")
    broken = findings({"PARETOFARM_QNN_SDK": str(root)})["runtime qnn, agent"]
    assert (broken.ok, broken.what) == (False, "qnn-profile-viewer failed (exit code 1): no license")
