"""Decoding one pair: every kind of image becomes RGB, and every kind of damage one line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from paretofarm.errors import DataError
from workers.datasets.decoding import decode
from workers.datasets.image_file import ImageFile
from workers.datasets.listing import LabelledImage


def pair(folder: Path, image: Image.Image, mask: Image.Image, suffix: str = ".png") -> LabelledImage:
    image_path, mask_path = folder / f"image{suffix}", folder / "mask.png"
    image.save(image_path)
    mask.save(mask_path)
    return LabelledImage("image", ImageFile(image_path, 0, 0), ImageFile(mask_path, 0, 0))


def ids(side: int = 32, value: int = 1) -> Image.Image:
    return Image.new("L", (side, side), value)


@pytest.mark.parametrize(
    ("image", "suffix"),
    [
        (Image.new("RGB", (32, 32), (200, 200, 200)), ".png"),
        (Image.new("RGB", (32, 32), (200, 200, 200)), ".jpg"),
        (Image.new("L", (32, 32), 200), ".png"),
        (Image.new("L", (32, 32), 200), ".jpg"),
        (Image.new("RGBA", (32, 32), (200, 200, 200, 255)), ".png"),
        (Image.new("LA", (32, 32), (200, 255)), ".png"),
        (Image.new("RGB", (32, 32), (200, 200, 200)).convert("P"), ".png"),
        (Image.fromarray(np.full((32, 32), 200 * 257, dtype=np.uint16)), ".png"),
        (Image.new("CMYK", (32, 32), (0, 0, 0, 55)), ".jpg"),
    ],
    ids=["rgb", "rgb jpeg", "grey", "grey jpeg", "rgba", "grey and alpha", "palette", "16 bit", "cmyk jpeg"],
)
def test_every_kind_of_image_becomes_rgb(tmp_path: Path, image: Image.Image, suffix: str) -> None:
    rgb, _ = decode(pair(tmp_path, image, ids(), suffix), size=16, classes=3)
    assert rgb.shape == (16, 16, 3) and rgb.dtype == np.uint8
    assert np.abs(rgb.astype(int) - 200).max() <= 6


def test_transparent_pixels_are_black(tmp_path: Path) -> None:
    rgb, _ = decode(pair(tmp_path, Image.new("RGBA", (32, 32), (255, 0, 0, 0)), ids()), size=16, classes=3)
    assert rgb.max() == 0


def test_images_are_averaged_and_masks_take_the_nearest_id(tmp_path: Path) -> None:
    stripes = np.zeros((64, 64), dtype=np.uint8)
    stripes[:, ::2] = 255
    halves = np.zeros((64, 64), dtype=np.uint8)
    halves[:, 32:] = 18
    halves[:4] = 255
    member = pair(tmp_path, Image.fromarray(stripes), Image.fromarray(halves))
    rgb, mask = decode(member, size=16, classes=19)
    assert 100 < rgb[:, 2:-2].min() <= rgb[:, 2:-2].max() < 155
    assert set(np.unique(mask)) == {0, 18, 255}
    assert (mask[1:, :8] == 0).all() and (mask[1:, 8:] == 18).all() and (mask[0] == 255).all()


def test_palette_masks_hold_ids(tmp_path: Path) -> None:
    mask = Image.new("P", (32, 32), 2)
    mask.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    _, decoded = decode(pair(tmp_path, Image.new("RGB", (32, 32)), mask), size=16, classes=3)
    assert (decoded == 2).all()


def test_half_written_files_are_named(tmp_path: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 3, (64, 64, 3), dtype=np.uint8))
    for name in ("image.png", "mask.png"):
        member = pair(tmp_path, noise, noise.getchannel(0))
        whole = (tmp_path / name).read_bytes()
        for length in (0, 20, len(whole) // 2):
            (tmp_path / name).write_bytes(whole[:length])
            with pytest.raises(DataError, match=rf"{name}: cannot be decoded: [^\n]+$"):
                decode(member, size=16, classes=3)


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    member = pair(tmp_path, ids(), ids())
    member.image.path.write_text("not an image")
    with pytest.raises(DataError, match=r"image\.png: cannot be decoded"):
        decode(member, size=16, classes=3)


def test_a_file_that_vanished_is_named(tmp_path: Path) -> None:
    member = pair(tmp_path, ids(), ids())
    member.mask.path.unlink()
    with pytest.raises(DataError, match=r"mask\.png: cannot be decoded: .*No such file"):
        decode(member, size=16, classes=3)


def test_a_mask_of_another_shape_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mask\.png: is 16x16, its image 32x32"):
        decode(pair(tmp_path, ids(32), ids(16)), size=16, classes=3)


def test_ids_out_of_range_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mask\.png: holds class id 3; ids are 0 to 2, and 255 to ignore"):
        decode(pair(tmp_path, ids(), ids(value=3)), size=16, classes=3)


def test_a_coloured_mask_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mask\.png: has 3 channels"):
        decode(pair(tmp_path, ids(), Image.new("RGB", (32, 32))), size=16, classes=3)
