"""What is in the phone's root folder before anybody uses it: folders, properties, programs."""

import importlib.util
import shlex
import stat
import sys
from pathlib import Path

from device_agents.virtual_phone.state import STATE_FILE, PhoneState, save_state
from device_agents.virtual_phone.tools import PROPERTIES_FILE, TOOLS

BIN = "system/bin"
RUNNER = "onnxruntime_perf_test"
RELEASE = "14"
SDK = "34"


def install_firmware(root: Path, serial: str) -> None:
    """Makes the root folder what a phone with this serial number has. Files of earlier runs stay."""
    for folder in ("data/local/tmp", "sdcard", BIN):
        (root / folder).mkdir(parents=True, exist_ok=True)
    properties = build_properties(serial)
    (root / PROPERTIES_FILE).write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    if not (root / STATE_FILE).exists():
        save_state(root, PhoneState())
    for name in TOOLS:
        _write_program(root / BIN / name, _python("device_agents.virtual_phone.tools", str(root), name))
    _write_program(root / BIN / RUNNER, _THREADS + _python("device_agents.virtual_phone.perf_test", packages=True))


def build_properties(serial: str) -> dict[str, str]:
    fingerprint = f"paretofarm/virtual/virtual:{RELEASE}/PF1/1:user/release-keys"
    return {
        "ro.serialno": serial,
        "ro.product.name": "virtual",
        "ro.product.device": "virtual",
        "ro.product.manufacturer": "paretofarm",
        "ro.product.model": "Paretofarm virtual phone",
        "ro.product.cpu.abi": "x86_64",
        "ro.board.platform": "virtual",
        "ro.soc.manufacturer": "paretofarm",
        "ro.soc.model": "VIRTUAL",
        "ro.build.fingerprint": fingerprint,
        "ro.build.version.release": RELEASE,
        "ro.build.version.sdk": SDK,
        "ro.paretofarm.simulated": "1",
    }


def banner(serial: str, features: tuple[str, ...]) -> bytes:
    """What the phone says of itself when a client connects."""
    properties = build_properties(serial)
    names = ("ro.product.name", "ro.product.model", "ro.product.device")
    fields = [f"{name}={properties[name]}" for name in names] + [f"features={','.join(features)}"]
    return ("device::" + ";".join(fields)).encode()


# numpy's OpenBLAS starts a thread per core as it is imported, which costs as much as all else in it.
_THREADS = "export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1\n"


def _python(module: str, *arguments: str, packages: bool = False) -> str:
    """Shell text that runs a module's `main` in a bare interpreter: without `site` it starts in half the time."""
    folders = [str(Path(__file__).parents[2])]
    if packages:
        folders += [
            str(Path(spec.origin).parents[1]) for spec in [importlib.util.find_spec("numpy")] if spec and spec.origin
        ]
    code = f"import sys; sys.path += {folders!r}; from {module} import main; sys.exit(main(sys.argv[1:]))"
    return shlex.join(["exec", sys.executable, "-I", "-S", "-c", code, *arguments]) + ' "$@"\n'


def _write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
