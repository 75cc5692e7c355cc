"""Tables of architectures (`paretofarm.table`) from their files; each file is read once."""

from pathlib import Path
from threading import Lock

from paretofarm.errors import DataError
from paretofarm.search_space import SearchSpace
from paretofarm.table import Table
from paretofarm.table_settings import TableSource


class TableFiles:
    """Keeps what it has read, until a file changes. For several threads."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, float, str, str], Table] = {}
        self._lock = Lock()

    def table(self, source: TableSource, space: SearchSpace) -> Table:
        """DataError where the file is not there, or is not such a table."""
        path = source.table
        try:
            key = (path, path.stat().st_mtime, source.codes, space.name)
            with self._lock:
                if key not in self._read:
                    self._read[key] = Table.read(path.read_bytes(), space, source.codes)
                return self._read[key]
        except OSError as error:
            raise DataError(f"{path}: {error.strerror}") from error
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
