"""What a backup says about itself. Written last: a folder without it is no backup."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from paretofarm.errors import BackupError

MANIFEST = "manifest.json"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """tables: rows by table; artifacts: bytes by SHA-256; missing: artifacts that the store no longer had."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    created_at: datetime
    paretofarm: str
    postgres: int
    revision: str
    dump_sha256: Sha256
    dump_bytes: int
    tables: dict[str, int]
    artifacts: dict[Sha256, int]
    missing: tuple[Sha256, ...] = ()

    @property
    def artifact_bytes(self) -> int:
        return sum(self.artifacts.values())

    @property
    def rows(self) -> int:
        return sum(self.tables.values())


def read_manifest(folder: Path) -> Manifest:
    """Errors: BackupError naming the file."""
    file = folder / MANIFEST
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except OSError as error:
        raise BackupError(f"{file}: {error.strerror}: not a backup, or an unfinished one") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BackupError(f"{file}: not a backup's manifest: {where + ': ' if where else ''}{first['msg']}") from error
