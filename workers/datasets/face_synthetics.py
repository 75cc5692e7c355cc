"""Reads a FaceSynthetics folder: the real download, or what `paretofarm data faces` wrote.

One flat folder of `NNNNNN.png` (RGB), `NNNNNN_seg.png` (class ids) and `NNNNNN_ldmks.txt` (not needed here).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from paretofarm.dataset import FaceSynthetics
from paretofarm.errors import DataError
from workers.datasets.dataset import Split
from workers.datasets.face_classes import FACE_CLASS_NAMES
from workers.datasets.image_file import ImageFile, scan
from workers.datasets.listing import LabelledImage, Listing

MASK_SUFFIX = "_seg.png"
IMAGE_SUFFIX = ".png"
CALIBRATION_AT_LEAST = 32
CALIBRATION_AT_MOST = 1000

Member = TypeVar("Member")


def list_face_synthetics(settings: FaceSynthetics) -> Listing:
    """Pairs and splits of the folder. `DataError` names a file without its partner, or says how to make the folder."""
    files = _scan_folder(settings.path)
    names = sorted(_paired_names(settings.path, files))[: settings.limit]
    members = [LabelledImage(name, files[name + IMAGE_SUFFIX], files[name + MASK_SUFFIX]) for name in names]
    return Listing("face_synthetics", settings.path, FACE_CLASS_NAMES, split_by_order(members))


def split_by_order(members: Sequence[Member]) -> Mapping[Split, tuple[Member, ...]]:
    """Archai's split of the sorted names (88 % / 2 % / 10 % of any count), plus a calibration split of our own.

    Archai calibrates quantization on training images; here the tail of the training part is set aside for it:
    2 % of all images, at least 32, at most 1,000 (Archai's number), never more than half of the training part.
    """
    count = len(members)
    train_end, validation_end = count * 88 // 100, count * 90 // 100
    calibration = min(max(count * 2 // 100, CALIBRATION_AT_LEAST), CALIBRATION_AT_MOST, train_end // 2)
    calibration_start = train_end - calibration
    return {
        Split.TRAIN: tuple(members[:calibration_start]),
        Split.CALIBRATION: tuple(members[calibration_start:train_end]),
        Split.VALIDATION: tuple(members[train_end:validation_end]),
        Split.TEST: tuple(members[validation_end:]),
    }


def _scan_folder(folder: Path) -> dict[str, ImageFile]:
    how = f"make it with `paretofarm data faces --out {folder}`, or unpack FaceSynthetics there"
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder: {how}")
    files = scan(folder)
    if not any(name.endswith(IMAGE_SUFFIX) for name in files):
        raise DataError(f"{folder}: holds no images: {how}")
    return files


def _paired_names(folder: Path, files: Mapping[str, ImageFile]) -> set[str]:
    masks = {name.removesuffix(MASK_SUFFIX) for name in files if name.endswith(MASK_SUFFIX)}
    images = {
        name.removesuffix(IMAGE_SUFFIX)
        for name in files
        if name.endswith(IMAGE_SUFFIX) and not name.endswith(MASK_SUFFIX)
    }
    if unpaired := min(images ^ masks, default=None):
        present, absent = (IMAGE_SUFFIX, MASK_SUFFIX) if unpaired in images else (MASK_SUFFIX, IMAGE_SUFFIX)
        raise DataError(f"{folder / (unpaired + absent)}: missing, although {unpaired + present} is there")
    return images
