"""A classification data set out of a segmentation one: what somebody wears, as an image_folder, of FaceSynthetics'
pictures and labels, drawn ones too."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from paretofarm.dataset import FaceSynthetics
from paretofarm.errors import DataError
from workers.datasets.decoding import DECODE_ERRORS
from workers.datasets.face_classes import FaceClass
from workers.datasets.face_synthetics import list_face_synthetics
from workers.datasets.listing import LabelledImage

BARE = "bare"
WORN = {"glasses": FaceClass.GLASSES, "headwear": FaceClass.HEADWEAR, "facewear": FaceClass.FACEWEAR}
LEAST_SHARE = 0.01
"""Of the pixels: less of something is a speck that nobody could see."""


def write_accessories(faces: Path, out: Path) -> dict[str, int]:
    """Copies each picture to the folder of what is worn on it; how many went to each. Faces that wear several
    things at once are left out.

    `DataError` where the faces cannot be read, or `out` holds something already or cannot be written.
    """
    # The size is of no matter here: nothing is resized.
    listing = list_face_synthetics(FaceSynthetics(type="face_synthetics", path=faces, size=16))
    unfinished = out.with_name(f".{out.name}.unfinished")
    counts = {name: 0 for name in (BARE, *WORN)}
    try:
        if out.exists() and any(out.iterdir()):
            raise DataError(f"{out}: holds something already; choose another folder")
        shutil.rmtree(unfinished, ignore_errors=True)
        for name in counts:
            (unfinished / name).mkdir(parents=True)
        for member in (each for split in listing.splits.values() for each in split):
            assert isinstance(member, LabelledImage)
            worn = list(_worn(member))
            if len(worn) < 2:
                folder = worn[0] if worn else BARE
                shutil.copyfile(member.image.path, unfinished / folder / member.image.path.name)
                counts[folder] += 1
        os.replace(unfinished, out)
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}") from error
    return counts


def _worn(member: LabelledImage) -> Iterator[str]:
    """What covers enough of the picture. Specks that are too small count as nothing at all."""
    path = member.mask.path
    try:
        with Image.open(path) as mask:
            labels = np.asarray(mask)
    except DECODE_ERRORS as error:
        raise DataError(f"{path}: cannot be decoded: {error}") from error
    for name, label in WORN.items():
        if np.mean(labels == label) >= LEAST_SHARE:
            yield name
