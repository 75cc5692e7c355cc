"""Files of the IDX format, in which MNIST and data sets like it come: a header and one array of bytes, often gzipped.

Two zero bytes, the type (8: unsigned bytes), the number of axes, then each axis' length as a big-endian 32-bit number
(LeCun, Cortes and Burges, The MNIST database, "File formats").
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt

from paretofarm.errors import DataError
from workers.datasets.image_file import ImageFile

UNSIGNED_BYTES = 8
MOST_BYTES = 2**33
"""Of one array: what a header promises beyond that is no data set."""

Array = npt.NDArray[np.uint8]


class IdxFile:
    """Images [N, H, W] in one file, read when the first of them is asked for, and kept."""

    def __init__(self, file: ImageFile) -> None:
        self.file = file
        self._images: Array | None = None
        self._lock = Lock()

    def image(self, index: int) -> Array:
        with self._lock:
            if self._images is None:
                self._images = read_idx(self.file.path, axes=3)
        found: Array = self._images[index]
        return found


def read_shape(path: Path, *, axes: int) -> tuple[int, ...]:
    """Of the array in the file, from its header alone. DataError as for `read_idx`."""
    return _shape(path, _read(path, 4 + 4 * axes), axes)


def read_idx(path: Path, *, axes: int) -> Array:
    """The array in the file. DataError where it is none of unsigned bytes with so many axes, or not whole."""
    content = _read(path)
    shape = _shape(path, content, axes)
    held, promised = len(content) - 4 - 4 * axes, math.prod(shape)
    if held != promised:
        raise DataError(f"{path}: holds {held} bytes of data, its header promises {promised}")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def _read(path: Path, most: int = -1) -> bytes:
    """Unpacked. most: bytes that are wanted, all of them where negative."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return file.read(most)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: damaged: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def _shape(path: Path, content: bytes, axes: int) -> tuple[int, ...]:
    if content[:4] != bytes((0, 0, UNSIGNED_BYTES, axes)) or len(content) < 4 + 4 * axes:
        raise DataError(f"{path}: no IDX file of unsigned bytes with {axes} {'axis' if axes == 1 else 'axes'}")
    shape = struct.unpack_from(f">{axes}I", content, 4)
    if 0 in shape[1:]:
        raise DataError(f"{path}: its header says that images are of {shape[1]} rows and {shape[2]} columns")
    if math.prod(shape) > MOST_BYTES:
        raise DataError(f"{path}: its header promises {math.prod(shape)} bytes")
    return shape
