"""Reads a folder with the four files of MNIST and its kin: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
`t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, each as it is or gzipped (`.gz`).

The t10k files are the test split; validation and calibration are cut out of the training files, as `class_split` says.
Images are grey, and become three equal channels. Classes are named by `classes.json` or `classes.txt`, else by digits.
"""

from collections.abc import Sequence
from pathlib import Path

from paretofarm.dataset import IdxFiles
from paretofarm.errors import DataError
from paretofarm.task import Task
from workers.datasets.class_names import checked, named_classes
from workers.datasets.class_split import limited, splits_of
from workers.datasets.dataset import Split
from workers.datasets.idx_file import IdxFile, read_idx, read_shape
from workers.datasets.image_file import ImageFile, scan
from workers.datasets.listing import IdxImage, Listing

TRAINING, TEST = "train", "t10k"


def list_idx_files(settings: IdxFiles) -> Listing:
    """Images and splits of the folder. `DataError` names the file that is missing or wrong."""
    names = idx_classes(settings)
    training = _images(settings.path, TRAINING, names)
    test = limited(_images(settings.path, TEST, names), settings.limit, len(training))
    splits: dict[Split, list[IdxImage]] = {split: [] for split in Split}
    missing = (Split.VALIDATION, Split.CALIBRATION)
    kept = training[: settings.limit]
    for image, split in zip(kept, splits_of([image.label for image in kept], missing), strict=True):
        splits[split].append(image)
    splits[Split.TEST].extend(test)
    by_split = {split: tuple(images) for split, images in splits.items()}
    return Listing("idx", settings.path, names, by_split, Task.CLASSIFICATION)


def idx_classes(settings: IdxFiles) -> tuple[str, ...]:
    """Class names in id order. `DataError` where the folder or its labels cannot be read."""
    folder = settings.path
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder: `paretofarm data fashion --out {folder}` writes one of real images")
    named = named_classes(folder)
    if named is not None:
        return named
    path = _file(folder, f"{TRAINING}-labels-idx1-ubyte").path
    labels = read_idx(path, axes=1)
    return checked(path, [str(label) for label in range(int(labels.max(initial=0)) + 1)])


def _images(folder: Path, part: str, names: Sequence[str]) -> list[IdxImage]:
    file, labelled_by = _file(folder, f"{part}-images-idx3-ubyte"), _file(folder, f"{part}-labels-idx1-ubyte")
    labels = read_idx(labelled_by.path, axes=1)
    count = read_shape(file.path, axes=3)[0]
    if count != len(labels):
        raise DataError(f"{labelled_by.path}: labels {len(labels)} images, but {file.path.name} holds {count}")
    if len(labels) and labels.max() >= len(names):
        raise DataError(f"{labelled_by.path}: holds class id {labels.max()}; ids are 0 to {len(names) - 1}")
    images = IdxFile(file)
    numbered = enumerate(labels.tolist())
    return [IdxImage(f"{part}/{index:05d}", images, labelled_by, index, label) for index, label in numbered]


def _file(folder: Path, name: str) -> ImageFile:
    files = scan(folder)
    found = files.get(name) or files.get(f"{name}.gz")
    if found is None:
        raise DataError(f"{folder / name}: missing, with and without .gz")
    return found
