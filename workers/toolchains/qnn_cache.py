"""Compiled networks by what they were made of, in a folder of this host: nothing is compiled twice."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

KEPT = 256
"""Networks; the ones used longest ago go first. The reference network of a chip is used with every candidate."""


@dataclass(frozen=True)
class CompileCache:
    """Safe for many processes: a file appears whole, and one that somebody removes was a copy."""

    folder: Path

    def fetch(self, key: str, out: Path) -> bool:
        """Copies what is kept under the key; False where nothing is."""
        kept = self._path(key)
        try:
            shutil.copyfile(kept, out)
            os.utime(kept)
        except FileNotFoundError:
            return False
        return True

    def keep(self, key: str, made: Path) -> None:
        """Keeps a copy, and lets go of the oldest ones."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self.folder, prefix="part-", delete=False) as part, made.open("rb") as source:
            shutil.copyfileobj(source, part)
        os.replace(part.name, self._path(key))
        self._forget()

    def _forget(self) -> None:
        dated = []
        for path in self.folder.glob("*.zip"):
            with suppress(FileNotFoundError):
                dated.append((path.stat().st_mtime_ns, path))
        for _, path in sorted(dated, reverse=True)[KEPT:]:
            path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.zip"


def content_key(parts: Mapping[str, object]) -> str:
    """SHA-256 of everything that the result depends on."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
