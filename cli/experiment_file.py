"""Reads an experiment file."""

from pathlib import Path

from db.experiment_text import LARGEST_BYTES, ExperimentFile, read_experiment
from paretofarm.errors import ConfigError

__all__ = ["ExperimentFile", "read_experiment_file"]


def read_experiment_file(path: Path) -> ExperimentFile:
    """The experiment of a YAML file. A relative data set path counts from the current folder, as in a shell.

    Errors: ConfigError naming the file and the line and column, or the key, that is wrong.
    """
    return read_experiment(_read(path), path)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    if len(content) > LARGEST_BYTES:
        raise ConfigError(f"{path}: more than {LARGEST_BYTES} bytes: not an experiment file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start})") from error
