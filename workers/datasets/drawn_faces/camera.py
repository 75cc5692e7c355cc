"""From the lit scene to the picture that a camera would have delivered."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter


def take_picture(scene: npt.NDArray[np.float32], size: int, rng: np.random.Generator) -> Image.Image:
    """Scales the scene [side, side, 3] down to `size` and degrades it: exposure, blur, noise, compression."""
    exposure, gamma = np.float32(np.exp(rng.normal(0.1, 0.1))), np.float32(rng.uniform(0.8, 1.2))
    # Cameras err between warm and cool far more than between green and magenta.
    warmth, green = rng.normal(0, 0.05), rng.normal(0, 0.015)
    balance = np.exp(np.array([warmth, green, -warmth], dtype=np.float32))
    noise = rng.choice([0.0, 2.0, 4.0, 7.0], p=[0.35, 0.35, 0.2, 0.1])
    blur, quality = rng.uniform(0, 0.9) ** 3 / 64, rng.integers(30, 95)
    compressed, grey = rng.uniform() < 0.5, rng.uniform() < 0.02
    bright = np.clip(_shrunk(scene, size) * (exposure * balance / 255), 0, 1) ** gamma
    picture = Image.fromarray((bright * 255).astype(np.uint8))
    if blur * size > 0.2:
        picture = picture.filter(ImageFilter.GaussianBlur(blur * size))
    if grey:
        picture = picture.convert("L").convert("RGB")
    if noise:
        pixels = np.asarray(picture) + rng.normal(0, noise, (size, size, 3)).astype(np.float32)
        picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return _compressed(picture, int(quality)) if compressed else picture


def _shrunk(scene: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """Means of squares of pixels."""
    factor = len(scene) // size
    squares = scene.reshape(size, factor, size, factor, 3)
    total = squares[:, 0, :, 0].copy()
    # The order of `mean(axis=(1, 3))`, so the same bits, in a fifth of its time.
    for place in range(1, factor * factor):
        total += squares[:, place // factor, :, place % factor]
    total /= np.float32(factor * factor)
    return total


def _compressed(picture: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as back:
        return back.convert("RGB")
