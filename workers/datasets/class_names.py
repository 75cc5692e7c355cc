"""The classes of a data set as a file of the folder names them."""

import json
from pathlib import Path

from paretofarm.errors import DataError
from workers.datasets.dataset import IGNORE_INDEX

CLASSES_JSON, CLASSES_TXT = "classes.json", "classes.txt"


def read_classes_json(path: Path) -> tuple[str, ...]:
    """A list of names, in id order. `DataError` where it is missing or wrong."""
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{path}: not JSON: {error}") from error
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise DataError(f"{path}: must be a list of class names")
    return checked(path, names)


def named_classes(folder: Path) -> tuple[str, ...] | None:
    """From `classes.json` or, one name a line, `classes.txt`; None where neither is there. `DataError` as above."""
    listed, lines = folder / CLASSES_JSON, folder / CLASSES_TXT
    if listed.exists():
        return read_classes_json(listed)
    if not lines.exists():
        return None
    try:
        names = [line.strip() for line in lines.read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise DataError(f"{lines}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{lines}: not UTF-8 text") from error
    return checked(lines, [name for name in names if name])


def checked(source: Path, names: list[str]) -> tuple[str, ...]:
    """`DataError` where they are too few, too many, not all different, or more than a line of text."""
    if unfit := [name for name in names if not name.isprintable()]:
        raise DataError(f"{source}: {unfit[0]!r} is no name of a class: it has characters that cannot be printed")
    if len(set(names)) < len(names):
        raise DataError(f"{source}: names {next(name for name in names if names.count(name) > 1)!r} more than once")
    if not 2 <= len(names) <= IGNORE_INDEX:
        raise DataError(f"{source}: number of classes is {len(names)}, must be 2 to {IGNORE_INDEX}")
    return tuple(names)
