"""Calibration images as files: they are read twice, once to know whether their result is known already."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from paretofarm.errors import ConversionFailed
from workers.toolchains.port import Image


@dataclass(frozen=True)
class CalibrationFiles:
    """Raw float32 with channels last, one image per file, as Qualcomm's tools read them. shape: (1, H, W, C)."""

    files: tuple[Path, ...]
    shape: tuple[int, ...]
    digest: str

    def images(self) -> Iterator[Image]:
        """[1, H, W, C]"""
        for file in self.files:
            yield np.fromfile(file, np.float32).reshape(self.shape)


def spool(images: Iterable[Image], folder: Path) -> CalibrationFiles:
    """Writes images [1, C, H, W] into the folder, which is made."""
    folder.mkdir()
    whole, files, shapes = hashlib.sha256(), list[Path](), set[tuple[int, ...]]()
    for number, image in enumerate(images):
        values = np.ascontiguousarray(image.transpose(0, 2, 3, 1), dtype=np.float32)
        files.append(folder / f"{number:05}.raw")
        values.tofile(files[-1])
        whole.update(values.tobytes())
        shapes.add(values.shape)
    if len(shapes) != 1:
        raise ConversionFailed(f"quantization needs calibration images of one size, not {len(shapes)}")
    shape = shapes.pop()
    whole.update(repr(shape).encode())
    return CalibrationFiles(tuple(files), shape, whole.hexdigest())
