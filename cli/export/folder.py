"""Writes an export: whole, or not at all."""

import os
import shutil
from pathlib import Path

from cli.file_errors import readable_errors
from db.artifacts import ArtifactStore
from db.exports import Export
from paretofarm.errors import ConfigError
from paretofarm.export import texts


def require_new(out: Path) -> None:
    """Errors: ConfigError where there is something already."""
    with readable_errors(out, ConfigError):
        if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
            raise ConfigError(f"{out} is there already and not empty: name another folder")


def write_folder(export: Export, store: ArtifactStore, out: Path, made: dict[str, Path]) -> None:
    """made: networks by file name that are not in the store. Errors: ConfigError, ArtifactMissing and its like."""
    partial = out.with_name(f".{out.name}.{os.getpid()}.part")
    with readable_errors(out, ConfigError):
        partial.mkdir(parents=True)
        try:
            for name, artifact in export.artifacts.items():
                store.copy(artifact.sha256, partial / name)
            for name, path in made.items():
                shutil.copyfile(path, partial / name)
            for name, text in texts(export.facts).items():
                (partial / name).write_text(text, encoding="utf-8")
            partial.replace(out)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
