"""The virtual phones of a data folder: each keeps its serial number and, while it is free, its port."""

import json
import secrets
import socket
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from paretofarm.errors import StackError

LOOPBACK = "127.0.0.1"
DEVICE_CLASS = "virtual"


@dataclass(frozen=True)
class VirtualPhonePlace:
    """One phone: its name within the folder, who it says it is, where it listens and where its files are."""

    name: str
    device_class: str
    serial: str
    port: int
    root: Path

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"


def is_virtual(device_class: str) -> bool:
    """Device classes that virtual phones may have."""
    return device_class == DEVICE_CLASS or device_class.startswith(f"{DEVICE_CLASS}-")


def place_phones(folder: Path, count: int, device_classes: Sequence[str] = (DEVICE_CLASS,)) -> list[VirtualPhonePlace]:
    """So many phones, the same ones at every call; the device classes in turn, each at least once.

    Errors: StackError where the folder cannot be written.
    """
    total = max(count, len(device_classes))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_place(folder, index, device_classes[index % len(device_classes)]) for index in range(total)]
    except OSError as error:
        raise StackError(f"{error.filename or folder}: {error.strerror}") from error


def _place(folder: Path, index: int, device_class: str) -> VirtualPhonePlace:
    name = f"{device_class}-{index + 1}"
    kept = _Kept.read(folder / f"{name}.json")
    if kept is None or not _is_free(kept.port):
        kept = _Kept(kept.serial if kept else f"VIRTUAL{secrets.token_hex(4).upper()}", _free_port())
        (folder / f"{name}.json").write_text(json.dumps(asdict(kept)) + "\n", encoding="utf-8")
    return VirtualPhonePlace(name, device_class, kept.serial, kept.port, folder / name)


@dataclass(frozen=True)
class _Kept:
    serial: str
    port: int

    @classmethod
    def read(cls, path: Path) -> "_Kept | None":
        """None where there is nothing, or nothing that we have written."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(str(content["serial"]), int(content["port"]))
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
