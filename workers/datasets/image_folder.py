"""Reads a folder of images by class: `train/CLASS/*.png` (or .jpg, .jpeg), `val/CLASS` and `test/CLASS`, or nothing but
`CLASS/*.png`.

Classes are the folders' names in sorted order, or those of `classes.json` or `classes.txt`, in its order. What has no
folder of its own is cut out of the training images: of every class' images by sorted name, as `class_split` says.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from paretofarm.dataset import ImageFolder
from paretofarm.errors import DataError
from paretofarm.task import Task
from workers.datasets.class_names import checked, named_classes
from workers.datasets.class_split import in_turn, limited, splits_of
from workers.datasets.dataset import Split
from workers.datasets.image_file import scan
from workers.datasets.listing import ClassifiedImage, Listing

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
TRAINING = "train"
OTHERS = {Split.VALIDATION: "val", Split.TEST: "test"}


def list_image_folder(settings: ImageFolder) -> Listing:
    """Images and splits of the folder. `DataError` names what is missing or wrong."""
    folder, names = settings.path, folder_classes(settings)
    by_split = {TRAINING: _images(_training_folder(folder), names)}
    learned = {image.label for image in by_split[TRAINING]}
    if empty := [name for label, name in enumerate(names) if label not in learned]:
        raise DataError(f"{_training_folder(folder) / empty[0]}: holds no image ({', '.join(IMAGE_SUFFIXES)})")
    if _training_folder(folder) != folder:
        by_split |= {part: _images(folder / part, names) for part in OTHERS.values() if (folder / part).is_dir()}
    count = len(by_split[TRAINING])
    kept = {part: limited(images, settings.limit, count) for part, images in by_split.items()}
    return Listing("image_folder", folder, names, _splits(kept), Task.CLASSIFICATION)


def folder_classes(settings: ImageFolder) -> tuple[str, ...]:
    """Class names in id order, without looking at any image. `DataError` where there are none."""
    folder = settings.path
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; it has a folder of images for each class, or such in `train`")
    training = _training_folder(folder)
    found = _subfolders(training)
    names = named_classes(folder) or checked(training, found)
    if unknown := [name for name in found if name not in names]:
        raise DataError(f"{training / unknown[0]}: no such class in classes.json or classes.txt of {folder}")
    return names


def _training_folder(folder: Path) -> Path:
    return folder / TRAINING if (folder / TRAINING).is_dir() else folder


def _subfolders(folder: Path) -> list[str]:
    """Sorted, hidden ones left out."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}") from error


def _images(folder: Path, names: Sequence[str]) -> list[ClassifiedImage]:
    """Of each class in turn, by sorted name."""
    if unknown := [name for name in _subfolders(folder) if name not in names]:
        raise DataError(f"{folder / unknown[0]}: no such class; there are {', '.join(names)}")
    return in_turn([_of_class(folder, name, label) for label, name in enumerate(names)])


def _of_class(folder: Path, name: str, label: int) -> list[ClassifiedImage]:
    if not (folder / name).is_dir():
        return []
    files = sorted(scan(folder / name).items())
    images = [(key, file) for key, file in files if file.path.suffix.lower() in IMAGE_SUFFIXES]
    return [ClassifiedImage(f"{folder.name}/{name}/{key}", file, label) for key, file in images]


def _splits(by_part: Mapping[str, Sequence[ClassifiedImage]]) -> Mapping[Split, tuple[ClassifiedImage, ...]]:
    missing = {Split.CALIBRATION, *(split for split, part in OTHERS.items() if part not in by_part)}
    splits: dict[Split, list[ClassifiedImage]] = {split: [] for split in Split}
    training = by_part[TRAINING]
    for image, split in zip(training, splits_of([image.label for image in training], missing), strict=True):
        splits[split].append(image)
    for split, part in OTHERS.items():
        splits[split].extend(by_part.get(part, ()))
    return {split: tuple(images) for split, images in splits.items()}
