"""Which labelled images a training reads, as written in the experiment file. Reading them is the workers' business."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

ImageSize = Annotated[
    int,
    Field(
        ge=16,
        le=2048,
        multiple_of=16,
        description="Side in pixels of the square images given to networks; whatever is on disk is resized to it.",
    ),
]
ImageLimit = Annotated[
    int | None,
    Field(ge=1, description="Use only the first N images by sorted name; all of them where absent."),
]


class _DatasetBase(BaseModel):
    """Strict and frozen. A relative path has been resolved by whoever loaded the experiment file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(description="Folder of the data set.")
    size: ImageSize
    limit: ImageLimit = None


class FaceSynthetics(_DatasetBase):
    """The FaceSynthetics download, or a folder that `paretofarm data faces` wrote in its format.

    Split by sorted name as in Archai: 88 % training, 2 % validation, 10 % test.
    """

    type: Literal["face_synthetics"]


class ImageMaskFolder(_DatasetBase):
    """A folder of `images/`, `masks/` (class ids) and `classes.json`; `splits/*.txt` optional."""

    type: Literal["image_mask_folder"]


class ImageFolder(_DatasetBase):
    """A folder of images per class: `train/CLASS/*.png`, `val/` and `test/` alike or absent; or `CLASS/*.png` alone.

    `limit` counts training images, in turn of each class; of `val` and `test` the same share is used.
    """

    type: Literal["image_folder"]


class IdxFiles(_DatasetBase):
    """The four files of MNIST and its kin, `train-images-idx3-ubyte[.gz]` and so on; `classes.txt` optional.

    `limit` counts images of the training file, the first of it; of the test file the same share is used.
    """

    type: Literal["idx"]


SegmentationDataset = Annotated[FaceSynthetics | ImageMaskFolder, Field(discriminator="type")]
ClassificationDataset = Annotated[ImageFolder | IdxFiles, Field(discriminator="type")]
DatasetSettings = Annotated[FaceSynthetics | ImageMaskFolder | ImageFolder | IdxFiles, Field(discriminator="type")]
