"""A table of architectures that somebody has trained and measured: what they would tell, without the hours.

An `.npz` file without pickles. One array, `ops` unless said otherwise, names the architecture of each row: shape [rows,
choices], the position of each choice's value among its options, choices in the space's order, 255 for a choice that
does not apply. Every other array that an experiment file names has the shape [rows]; NaN: nobody knows.
"""

import zipfile
from collections.abc import Mapping
from functools import cached_property
from io import BytesIO
from typing import Self

import numpy as np

from paretofarm.architecture import Architecture
from paretofarm.errors import BuildFailed, DataError
from paretofarm.search_space import SearchSpace
from paretofarm.table_settings import CODES, TableColumn

UNUSED = 255


class Table:
    """arrays: by name, `codes` among them. DataError where they do not fit each other or the space."""

    def __init__(self, arrays: Mapping[str, np.ndarray], space: SearchSpace, codes: str = CODES) -> None:
        self._arrays = arrays
        self._space = space
        rows = self._array(codes)
        if rows.ndim != 2 or rows.shape[1] != len(space.choices):
            expected = f"[rows, {len(space.choices)}], the choices of {space.name}"
            raise DataError(f"the table's array {codes} has the shape {list(rows.shape)}, expected {expected}")
        self._codes = np.ascontiguousarray(rows, dtype=np.uint8)

    @classmethod
    def read(cls, content: bytes, space: SearchSpace, codes: str = CODES) -> Self:
        """From the bytes of an `.npz` file. DataError where they are none, or need pickles."""
        try:
            with np.load(BytesIO(content), allow_pickle=False) as file:
                return cls({name: file[name] for name in file.files}, space, codes)
        except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise DataError(f"not an .npz file of plain arrays: {error}") from error

    def __len__(self) -> int:
        return len(self._codes)

    def value(self, architecture: Architecture, column: TableColumn) -> float | None:
        """What the table says of an architecture, scaled; None where nobody knows.

        BuildFailed for an architecture that it does not have; DataError for an array that it does not have.
        """
        array = self._array(column.column)
        if array.shape != (len(self),):
            raise DataError(f"the table's array {column.column} has the shape {list(array.shape)}, not [{len(self)}]")
        value = float(array[self._row(architecture)]) * column.scale
        return None if np.isnan(value) else value

    def _row(self, architecture: Architecture) -> int:
        try:
            return self._rows[self._code(architecture)]
        except KeyError as error:
            raise BuildFailed("the table does not have this architecture") from error

    def _code(self, architecture: Architecture) -> bytes:
        choices = architecture.choices
        return bytes(
            choice.rank[choices[choice.name]] if choice.name in choices else UNUSED for choice in self._space.choices
        )

    @cached_property
    def _rows(self) -> Mapping[bytes, int]:
        return {row.tobytes(): number for number, row in enumerate(self._codes)}

    def _array(self, name: str) -> np.ndarray:
        if name not in self._arrays:
            raise DataError(f"the table has no array {name}; it has {', '.join(sorted(self._arrays))}")
        return self._arrays[name]
