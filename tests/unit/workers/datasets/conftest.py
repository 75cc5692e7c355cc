"""Small labelled folders for the data set tests."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

MakeFolder = Callable[..., Path]


def random_image(seed: int, side: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


def random_mask(seed: int, side: int, classes: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, classes, (side, side), dtype=np.uint8))


@pytest.fixture
def make_face_folder(tmp_path: Path) -> MakeFolder:
    """Writes `count` random pairs under FaceSynthetics' names."""

    def make(count: int = 60, side: int = 32) -> Path:
        folder = tmp_path / "faces"
        folder.mkdir()
        for index in range(count):
            random_image(index, side).save(folder / f"{index:06d}.png")
            random_mask(index, side, 19).save(folder / f"{index:06d}_seg.png")
            (folder / f"{index:06d}_ldmks.txt").write_text("1 1\n" * 70)
        return folder

    return make


@pytest.fixture
def make_mask_folder(tmp_path: Path) -> MakeFolder:
    """Writes `count` random pairs of three classes as an image_mask_folder, without splits."""

    def make(count: int = 80, side: int = 16) -> Path:
        folder = tmp_path / "shapes"
        for part in ("images", "masks"):
            (folder / part).mkdir(parents=True)
        (folder / "classes.json").write_text(json.dumps(["nothing", "square", "circle"]))
        for index in range(count):
            random_image(index, side).save(folder / "images" / f"shape{index}.png")
            random_mask(index, side, 3).save(folder / "masks" / f"shape{index}.png")
        return folder

    return make
