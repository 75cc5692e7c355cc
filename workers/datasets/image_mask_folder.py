"""Reads a general segmentation folder.

`images/NAME.png` (or .jpg, .jpeg), `masks/NAME.png` (one channel of class ids, 255 = ignore), `classes.json` (a list of
class names, in id order), and optionally `splits/{train,validation,calibration,test}.txt` (one name a line).
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from paretofarm.dataset import ImageMaskFolder
from paretofarm.errors import DataError
from workers.datasets.class_names import CLASSES_JSON, read_classes_json
from workers.datasets.dataset import Split
from workers.datasets.image_file import ImageFile, scan
from workers.datasets.listing import LabelledImage, Listing

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
# Upper ends of the shares, in per cent. By hash, an image stays in its split when others are added.
SHARES = {Split.TRAIN: 70, Split.VALIDATION: 80, Split.TEST: 95, Split.CALIBRATION: 100}


def list_image_mask_folder(settings: ImageMaskFolder) -> Listing:
    """Pairs and splits of the folder. `DataError` names the file that is missing or wrong."""
    folder = settings.path
    class_names = read_class_names(settings)
    images, masks = _by_stem(folder / "images", IMAGE_SUFFIXES), _by_stem(folder / "masks", (".png",))
    _check_pairs(folder, images, masks)
    names = sorted(images)
    splits = _read_splits(folder / "splits", images) if (folder / "splits").is_dir() else split_by_hash(names)
    used = set(names[: settings.limit])
    members = {name: LabelledImage(name, images[name], masks[name]) for name in used}
    return Listing(
        "image_mask_folder",
        folder,
        class_names,
        {split: tuple(members[name] for name in splits[split] if name in used) for split in Split},
    )


def read_class_names(settings: ImageMaskFolder) -> tuple[str, ...]:
    """Class names in id order. `DataError` where the folder or its `classes.json` is missing or wrong."""
    folder = settings.path
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder: `paretofarm data brain --out {folder}` writes one of real images")
    return read_classes_json(folder / CLASSES_JSON)


def split_by_hash(names: Iterable[str]) -> Mapping[Split, tuple[str, ...]]:
    """70 % training, 10 % validation, 15 % test, 5 % calibration, each name's place given by its SHA-256 alone."""
    splits: dict[Split, list[str]] = {split: [] for split in Split}
    for name in names:
        place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % 100
        splits[next(split for split, end in SHARES.items() if place < end)].append(name)
    return {split: tuple(members) for split, members in splits.items()}


def _by_stem(folder: Path, suffixes: tuple[str, ...]) -> dict[str, ImageFile]:
    found: dict[str, ImageFile] = {}
    for name, file in sorted(scan(folder).items()):
        if file.path.suffix.lower() not in suffixes:
            continue
        stem = file.path.stem
        if stem in found:
            raise DataError(f"{folder / name}: {found[stem].path.name} has the same name")
        found[stem] = file
    if not found:
        raise DataError(f"{folder}: holds no {' or '.join(suffixes)} files")
    return found


def _check_pairs(folder: Path, images: Mapping[str, ImageFile], masks: Mapping[str, ImageFile]) -> None:
    if without_mask := min(images.keys() - masks.keys(), default=None):
        raise DataError(
            f"{folder / 'masks' / without_mask}.png: missing, although {images[without_mask].path.name} is in images"
        )
    if without_image := min(masks.keys() - images.keys(), default=None):
        raise DataError(f"{folder / 'images' / without_image}.png: missing, although {without_image}.png is in masks")


def _read_splits(folder: Path, images: Mapping[str, ImageFile]) -> Mapping[Split, tuple[str, ...]]:
    splits = {split: _read_names(folder / f"{split}.txt") for split in Split}
    owners: dict[str, Split] = {}
    for split, names in splits.items():
        for name in names:
            if name not in images:
                raise DataError(f"{folder / split}.txt: {name} is not in images")
            if name in owners:
                raise DataError(f"{folder / split}.txt: {name} is in {owners[name]}.txt already")
            owners[name] = split
    return splits


def _read_names(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror} (all four split files are needed)") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text") from error
    return tuple(line.strip() for line in lines if line.strip())
