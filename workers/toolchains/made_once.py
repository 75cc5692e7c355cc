"""Files that a host makes once and keeps, such as the reference network compiled for a chip."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def made_once(path: Path, make: Callable[[Path], None]) -> Path:
    """The file at `path`; where it is not there, `make` writes it. Of several that make it at once, one wins: everybody
    then sees the same bytes, even if a tool does not write the same ones twice.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=path.parent) as folder:
            made = Path(folder, path.name)
            make(made)
            _keep(made, path)
    return path


def _keep(made: Path, path: Path) -> None:
    try:
        os.link(made, path)
    except FileExistsError:
        return
