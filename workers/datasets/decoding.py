"""Decodes one labelled image to the size that networks are given."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from paretofarm.errors import DataError
from workers.datasets.dataset import IGNORE_INDEX
from workers.datasets.listing import ClassifiedImage, IdxImage, LabelledImage, Member

# Everything that Pillow raises on damaged or hostile files.
DECODE_ERRORS = (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning)


def decode(member: Member, *, size: int, classes: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Image [size, size, 3] (RGB) and mask [size, size] (class ids), [1, 1] where the image has one class.

    Images are scaled bilinearly with antialiasing, masks take the nearest pixel: class ids cannot be averaged.
    `DataError` names the file and the reason.
    """
    match member:
        case LabelledImage():
            image, source_size = _decode_image(member.image.path, size)
            return image, _decode_mask(member.mask.path, size, classes, source_size)
        case ClassifiedImage():
            image, _ = _decode_image(member.image.path, size)
        case IdxImage():
            image = _scaled(Image.fromarray(member.images.image(member.index)).convert("RGB"), size)
    return image, np.full((1, 1), member.label, np.uint8)


def _decode_image(path: Path, size: int) -> tuple[npt.NDArray[np.uint8], tuple[int, int]]:
    try:
        with Image.open(path) as image:
            source_size = image.size
            # JPEG files are decoded at a half, quarter or eighth where that is enough; no effect on others.
            image.draft("RGB", (2 * size, 2 * size))
            return _scaled(_to_rgb(image), size), source_size
    except DECODE_ERRORS as error:
        raise DataError(f"{path}: cannot be decoded: {_one_line(error)}") from error


def _scaled(rgb: Image.Image, size: int) -> npt.NDArray[np.uint8]:
    return np.asarray(rgb.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0), dtype=np.uint8)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        opaque = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", opaque.size, "black"), opaque).convert("RGB")
    if image.mode.startswith("I;16"):
        # Pillow would clip 16-bit greyscale at 255.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    return image.convert("RGB")


def _decode_mask(path: Path, size: int, classes: int, image_size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    try:
        with Image.open(path) as mask:
            mask.load()
            if len(mask.getbands()) != 1:
                raise DataError(f"{path}: has {len(mask.getbands())} channels; a mask has one, of class ids")
            if mask.size != image_size:
                raise DataError(f"{path}: is {_shape(mask.size)}, its image {_shape(image_size)}")
            ids = np.asarray(mask)
            _check_ids(path, ids, classes)
            scaled = Image.fromarray(ids.astype(np.uint8)).resize((size, size), Image.Resampling.NEAREST)
            return np.asarray(scaled, dtype=np.uint8)
    except DECODE_ERRORS as error:
        raise DataError(f"{path}: cannot be decoded: {_one_line(error)}") from error


def _check_ids(path: Path, ids: npt.NDArray[np.integer], classes: int) -> None:
    wrong = ids[(ids >= classes) & (ids != IGNORE_INDEX)]
    if wrong.size:
        raise DataError(
            f"{path}: holds class id {wrong.max()}; ids are 0 to {classes - 1}, and {IGNORE_INDEX} to ignore"
        )


def _shape(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
