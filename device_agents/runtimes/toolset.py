"""Programs and libraries that a runtime needs on a phone: pushed once, however many measurements use them."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from device_agents.phone import HOME
from paretofarm.errors import ConfigError, PhoneOffline
from paretofarm.ports import DeviceLink

TOOLS = "tools"
COMPLETE = ".complete"
TIMEOUT_S = 15.0
NAME = r"[a-z0-9_][a-z0-9_-]*"


@dataclass(frozen=True)
class Toolset:
    """Local files by their places in one folder on the phone. name: small letters, digits, `_` and `-`."""

    name: str
    files: Mapping[str, Path]
    home: str = HOME

    def __post_init__(self) -> None:
        if not re.fullmatch(NAME, self.name):
            raise ConfigError(f"{self.name!r} is no name for a set of tools")
        for place, file in self.files.items():
            if not file.is_file():
                raise ConfigError(f"{self.name}: {file} is not a file")
            if PurePosixPath(place).is_absolute() or ".." in PurePosixPath(place).parts:
                raise ConfigError(f"{self.name}: {place!r} is no place below a folder")

    @property
    def digest(self) -> str:
        """Of all contents and places: another build is another set."""
        whole = hashlib.sha256()
        for place, file in sorted(self.files.items()):
            stat = file.stat()
            whole.update(f"{place}\0{_sha256(file, stat.st_mtime_ns, stat.st_size)}\n".encode())
        return whole.hexdigest()[:16]

    @property
    def folder(self) -> str:
        """Where it lies on the phone."""
        return f"{self.home}/{TOOLS}/{self.name}/{self.digest}"

    def install(self, link: DeviceLink) -> str:
        """Pushes what is not there yet, in place of an earlier set of that name; the remote folder."""
        folder = self.folder
        if link.run(["test", "-f", f"{folder}/{COMPLETE}"], timeout_s=TIMEOUT_S).exit_code == 0:
            return folder
        self._run(link, "rm", "-rf", str(PurePosixPath(folder).parent))
        for place, file in self.files.items():
            link.push(file, f"{folder}/{place}")
        self._run(link, "chmod", "755", *(f"{folder}/{place}" for place in self.files))
        self._run(link, "touch", f"{folder}/{COMPLETE}")
        return folder

    def _run(self, link: DeviceLink, *argv: str) -> None:
        result = link.run(argv, timeout_s=TIMEOUT_S)
        if result.exit_code != 0:
            raise PhoneOffline(f"{link.serial}: {argv[0]} {argv[-1]}: {result.stderr.strip()}")


@lru_cache(maxsize=256)
def _sha256(file: Path, changed_ns: int, size: int) -> str:
    """Once per state of a file: an SDK's libraries have a hundred megabytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
