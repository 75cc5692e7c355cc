"""A `.npy` file written row by row, so that a data set larger than memory can be cached."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt


class ArrayFile:
    """Writes uint8 rows of one shape, in order. Plain writes: a full disk is an OSError, where a map would crash."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._file = path.open("wb")
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)

    def append(self, row: npt.NDArray[np.uint8]) -> None:
        self._file.write(np.ascontiguousarray(row).data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._file:
            if error is None:
                self._file.flush()
                os.fsync(self._file.fileno())
