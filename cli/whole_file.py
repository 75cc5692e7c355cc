"""A file that a command writes for its user: whole, or not at all."""

import os
from pathlib import Path

from cli.file_errors import readable_errors
from paretofarm.errors import ConfigError


def check_writable(path: Path) -> None:
    """Before the work rather than after. Errors: ConfigError."""
    try:
        with path.open("ab"):
            pass
        if path.stat().st_size == 0:
            path.unlink()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error


def write_whole(path: Path, text: str) -> None:
    """Errors: ConfigError; what was there before is then still there."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    with readable_errors(path, ConfigError):
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
