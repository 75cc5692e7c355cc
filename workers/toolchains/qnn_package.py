"""A compiled network as one file: a zip that is the same whenever its contents are."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)
_ORDINARY_FILE = 0o100644 << 16


def write_package(out: Path, members: Mapping[str, bytes]) -> None:
    """Members by name, sorted, not compressed, without times or owners."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as package:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = _ORDINARY_FILE
            entry.create_system = 3
            package.writestr(entry, members[name])


def read_member(package: Path, name: str) -> bytes:
    """Content of one member."""
    with zipfile.ZipFile(package) as archive:
        return archive.read(name)
