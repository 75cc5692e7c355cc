"""Which reader serves which settings: the one place that grows with a new kind of data set."""

from paretofarm.dataset import DatasetSettings, FaceSynthetics, IdxFiles, ImageFolder, ImageMaskFolder
from workers.datasets.face_classes import FACE_CLASS_NAMES
from workers.datasets.face_synthetics import list_face_synthetics
from workers.datasets.idx_files import idx_classes, list_idx_files
from workers.datasets.image_folder import folder_classes, list_image_folder
from workers.datasets.image_mask_folder import list_image_mask_folder, read_class_names
from workers.datasets.listing import Listing


def list_images(settings: DatasetSettings) -> Listing:
    """Classes, pairs and splits of a data set. `DataError` where the folder is missing or incomplete."""
    match settings:
        case FaceSynthetics():
            return list_face_synthetics(settings)
        case ImageMaskFolder():
            return list_image_mask_folder(settings)
        case ImageFolder():
            return list_image_folder(settings)
        case IdxFiles():
            return list_idx_files(settings)


def class_names(settings: DatasetSettings) -> tuple[str, ...]:
    """The classes alone, in id order, without looking at any image. `DataError` where they cannot be read."""
    match settings:
        case FaceSynthetics():
            return FACE_CLASS_NAMES
        case ImageMaskFolder():
            return read_class_names(settings)
        case ImageFolder():
            return folder_classes(settings)
        case IdxFiles():
            return idx_classes(settings)
