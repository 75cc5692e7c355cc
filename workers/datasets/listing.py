"""What a data set folder holds, before a pixel is decoded."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from paretofarm.errors import DataError
from paretofarm.task import Task
from workers.datasets.dataset import Split
from workers.datasets.idx_file import IdxFile
from workers.datasets.image_file import ImageFile


@dataclass(frozen=True)
class LabelledImage:
    """An image and the mask of its class ids, under the name by which the data set knows the pair."""

    name: str
    image: ImageFile
    mask: ImageFile

    @property
    def files(self) -> tuple[ImageFile, ...]:
        return self.image, self.mask


@dataclass(frozen=True)
class ClassifiedImage:
    """An image of one class, given by its id."""

    name: str
    image: ImageFile
    label: int

    @property
    def files(self) -> tuple[ImageFile, ...]:
        return (self.image,)


@dataclass(frozen=True)
class IdxImage:
    """One of the images in a file of many, at `index`; labels: the file that its class is from."""

    name: str
    images: IdxFile
    labels: ImageFile
    index: int
    label: int

    @property
    def files(self) -> tuple[ImageFile, ...]:
        return self.images.file, self.labels


Member = LabelledImage | ClassifiedImage | IdxImage


@dataclass(frozen=True)
class Listing:
    """A data set's classes and the members of its splits, in the order in which they will be stored."""

    kind: str
    folder: Path
    class_names: tuple[str, ...]
    splits: Mapping[Split, tuple[Member, ...]]
    task: Task = Task.SEGMENTATION

    def __post_init__(self) -> None:
        for split in Split:
            if not self.splits[split]:
                raise DataError(
                    f"{self.folder}: the {split} split is empty: too few images in the data set (or `limit` is too low)"
                )
