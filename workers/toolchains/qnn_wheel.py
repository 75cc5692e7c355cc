"""Qualcomm's HTP compiler as the wheel `onnxruntime-qnn` carries it: no account, no SDK; Linux on x86-64 only."""

from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path

from paretofarm.errors import ConfigError

PACKAGE = "onnxruntime_qnn"
REMEDY = "pip install 'paretofarm[qnn]' (Linux on x86-64), or name Qualcomm's SDK in QNN_SDK_ROOT"


@dataclass(frozen=True)
class QnnWheel:
    """version: of the wheel; qnn_version: of QNN, which the phone's must not be older than."""

    version: str
    qnn_version: str
    provider: Path
    backend: Path


def qnn_wheel() -> QnnWheel:
    """The installed wheel; ConfigError where there is none, with what to do."""
    if find_spec(PACKAGE) is None:
        raise ConfigError(f"compiling for a Hexagon processor needs onnxruntime-qnn: {REMEDY}")
    package = import_module(PACKAGE)
    return QnnWheel(
        version=metadata.version("onnxruntime-qnn"),
        qnn_version=str(import_module(f"{PACKAGE}.build_and_package_info").qnn_version),
        provider=Path(package.get_library_path()),
        backend=Path(package.get_qnn_htp_path()),
    )
