"""Writes an export: whole, or not at all."""

import json
import os
import shutil
from pathlib import Path

from cli.file_errors import readable_errors
from db.artifacts import ArtifactStore
from db.exports import Export
from paretofarm.errors import ConfigError
from paretofarm.export import RUN_EXAMPLE, model_card


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
            for name, text in _texts(export).items():
                (partial / name).write_text(text, encoding="utf-8")
            partial.replace(out)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def _texts(export: Export) -> dict[str, str]:
    facts = export.facts
    texts = {
        "README.md": model_card(facts),
        "network.json": json.dumps(facts.to_dict(), indent=2) + "\n",
        "architecture.json": json.dumps(facts.architecture, indent=2) + "\n",
    }
    return {**texts, "run.py": RUN_EXAMPLE} if facts.runnable else texts
