"""Real images for segmentation: slices of the MRI atlas that the `nilearn` wheel ships, as an image_mask_folder.

The atlas is ICBM 152 (2009a, symmetric): a T1 volume at 1 mm, and the probabilities of grey and white matter.
"""

import importlib.util
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from paretofarm.errors import DataError
from workers.datasets.dataset import Split

BRAIN_CLASS_NAMES = ("background", "cerebrospinal_fluid", "grey_matter", "white_matter")
AXES = ("sagittal", "coronal", "axial")
# Side of the written slices; the brain itself measures at most 181.
SIDE = 192
# Outermost slices show a few pixels of brain only.
LEAST_BRAIN = 0.03

# Neighbouring slices are nearly equal, so each axis is cut into ten slabs that belong to one split each, at other
# places on each axis; of the slices behind a border between splits, GAP are left out.
SLABS = {"sagittal": "ttvttteect", "coronal": "tttettvctt", "axial": "ttcttvtett"}
SPLIT_OF_SLAB = {"t": Split.TRAIN, "v": Split.VALIDATION, "e": Split.TEST, "c": Split.CALIBRATION}
GAP = 2

# nilearn's own page calls the licence unknown; this is COPYING of the atlas' archive (mni_icbm152_nlin_sym_09a).
COPYRIGHT = (
    "Copyright (C) 1993-2004 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological Institute,\n"
    "McGill University"
)
ATTRIBUTION = f"""\
These images are slices of the ICBM 152 nonlinear symmetric atlas (2009a) as distributed with nilearn
(https://nilearn.github.io, BSD-3-Clause), cut and labelled by `paretofarm data brain`. The atlas' own notice, which
must go with every copy:

{COPYRIGHT}. Permission to use, copy, modify, and distribute this software and its documentation for any
purpose and without fee is hereby granted, provided that the above copyright notice appear in all copies. The authors
and McGill University make no representations about the suitability of this software for any purpose. It is provided
"as is" without express or implied warranty. The authors are not responsible for any data loss, equipment damage,
property loss, or injury to subjects or patients resulting from the use or misuse of this software package.

References, which whoever publishes results is asked to cite: VS Fonov, AC Evans, K Botteron, CR Almli, RC McKinstry, DL
Collins, BDCG: Unbiased average age-appropriate atlases for pediatric studies, NeuroImage 54(1), 2011,
doi:10.1016/j.neuroimage.2010.07.033. VS Fonov, AC Evans, RC McKinstry, CR Almli, DL Collins: Unbiased nonlinear average
age-appropriate brain templates from birth to adulthood, NeuroImage 47, Supplement 1, 2009, S102,
doi:10.1016/S1053-8119(09)70884-5. DL Collins, AP Zijdenbos, WFC Baare, AC Evans: ANIMAL+INSECT: Improved cortical
structure segmentation, IPMI 1999.
"""

Volume = npt.NDArray[np.uint8]
Progress = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class Slice:
    """One cut: grey image and class ids [SIDE, SIDE]."""

    name: str
    split: Split
    image: Volume
    mask: Volume


def write_brain(out: Path, progress: Progress | None = None) -> int:
    """Writes 416 labelled slices and their splits to `out`; their number. `progress` hears how many are written.

    A folder that is complete already is left as it is. `DataError` where the volumes are not installed, or `out` holds
    something else or cannot be written.
    """
    try:
        if (out / "ATTRIBUTION.txt").exists():
            return len(list((out / "images").iterdir()))
        if out.exists() and any(out.iterdir()):
            raise DataError(f"{out}: holds something else already; choose another folder")
        unfinished = out.with_name(f".{out.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        slices = list(cut_slices(*load_volumes()))
        _write_folder(unfinished, slices, progress)
        os.replace(unfinished, out)
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}") from error
    return len(slices)


def load_volumes() -> tuple[Volume, Volume]:
    """T1 and class ids [x, y, z] (to the right, to the front, upwards), cropped to the brain."""
    folder = _atlas_folder()
    t1, grey, white = (
        _read_volume(folder / f"mni_icbm152_{part}_tal_nlin_sym_09a_converted.nii.gz") for part in _PARTS
    )
    box = _box_around(t1 > 0)
    t1, grey, white = t1[box], grey[box], white[box]
    other = 255 - np.minimum(grey.astype(np.int16) + white, 255)
    likeliest = np.where(white >= np.maximum(grey, other), 3, np.where(grey >= other, 2, 1))
    return t1, np.where(t1 > 0, likeliest, 0).astype(np.uint8)


def _box_around(inside: npt.NDArray[np.bool_]) -> tuple[slice, ...]:
    places = (np.flatnonzero(inside.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1)))
    return tuple(slice(int(place[0]), int(place[-1]) + 1) for place in places)


_PARTS = ("t1", "gm", "wm")


def _atlas_folder() -> Path:
    # Located, not imported: importing nilearn takes seconds and needs scikit-learn.
    spec = importlib.util.find_spec("nilearn")
    if spec is None or not spec.submodule_search_locations:
        raise DataError("the MRI volumes come with nilearn, which is not installed: pip install 'paretofarm[brain]'")
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data"


def _read_volume(path: Path) -> Volume:
    try:
        import nibabel
    except ImportError as error:
        raise DataError("nibabel is not installed: pip install 'paretofarm[brain]'") from error
    try:
        image: Any = nibabel.load(path)
        return np.asarray(image.dataobj).astype(np.uint8)
    except (OSError, EOFError, ValueError, nibabel.filebasedimages.ImageFileError) as error:
        raise DataError(f"{path}: cannot be read (another version of nilearn?): {error}") from error


def cut_slices(t1: Volume, labels: Volume) -> Iterator[Slice]:
    """All slices with enough brain in them, of the three axes."""
    for axis, axis_name in enumerate(AXES):
        for position in range(t1.shape[axis]):
            mask = _upright(np.take(labels, position, axis=axis))
            split = split_of(axis_name, position, t1.shape[axis])
            if split is not None and np.count_nonzero(mask) >= LEAST_BRAIN * mask.size:
                yield Slice(f"{axis_name}_{position:03d}", split, _upright(np.take(t1, position, axis=axis)), mask)


def split_of(axis_name: str, position: int, length: int) -> Split | None:
    """The split of a slice, None where it lies in the gap between two splits.

    The atlas is symmetric: a sagittal slice equals its mirror image on the other side, so there the distance from the
    middle counts.
    """
    if axis_name == "sagittal":
        position, length = abs(2 * position - (length - 1)) // 2, (length + 1) // 2
    slabs = SLABS[axis_name]
    here, before = (slabs[max(0, place) * len(slabs) // length] for place in (position, position - GAP))
    return SPLIT_OF_SLAB[here] if here == before else None


def _upright(cut: Volume) -> Volume:
    turned = np.rot90(cut)
    top, left = (SIDE - turned.shape[0]) // 2, (SIDE - turned.shape[1]) // 2
    square = np.zeros((SIDE, SIDE), dtype=np.uint8)
    square[top : top + turned.shape[0], left : left + turned.shape[1]] = turned
    return square


def _write_folder(folder: Path, slices: list[Slice], progress: Progress | None) -> None:
    for name in ("images", "masks", "splits"):
        (folder / name).mkdir(parents=True)
    for written, cut in enumerate(slices, start=1):
        Image.fromarray(cut.image).save(folder / "images" / f"{cut.name}.png")
        Image.fromarray(cut.mask).save(folder / "masks" / f"{cut.name}.png")
        if progress is not None:
            progress(written)
    for split in Split:
        names = "".join(f"{cut.name}\n" for cut in slices if cut.split is split)
        (folder / "splits" / f"{split}.txt").write_text(names, encoding="utf-8")
    (folder / "classes.json").write_text(json.dumps(BRAIN_CLASS_NAMES), encoding="utf-8")
    (folder / "ATTRIBUTION.txt").write_text(ATTRIBUTION, encoding="utf-8")
