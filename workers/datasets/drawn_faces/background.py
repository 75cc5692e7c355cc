"""What is behind the person: soft or busy, and never a give-away: it holds skin colours and hair-like textures too."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from workers.datasets.drawn_faces import palette
from workers.datasets.drawn_faces.palette import Colour

# Drawn small and enlarged: most of it is out of focus anyway.
SIDE = 96


def draw_background(side: int, rng: np.random.Generator) -> Image.Image:
    """RGB of `side` x `side` pixels."""
    image = _gradient(rng)
    pen = ImageDraw.Draw(image, "RGBA")
    scenes: tuple[Callable[[ImageDraw.ImageDraw, np.random.Generator], None], ...] = (
        _draw_room,
        _draw_outdoors,
        _draw_clutter,
        _draw_stripes,
        _draw_nothing,
    )
    scenes[rng.integers(len(scenes))](pen, rng)
    for _ in range(rng.integers(0, 4)):
        _draw_skin_like(pen, rng)
    for _ in range(rng.integers(0, 3)):
        _draw_hair_like(pen, rng)
    blurred = image.filter(ImageFilter.BoxBlur(float(rng.choice([0.7, 1.0, 2.0, 4.5]))))
    return blurred.resize((side, side), Image.Resampling.BILINEAR)


def _gradient(rng: np.random.Generator) -> Image.Image:
    corners = [_muted(rng) for _ in range(4)]
    small = np.array(corners, dtype=np.uint8).reshape(2, 2, 3)
    return Image.fromarray(small).resize((SIDE, SIDE), Image.Resampling.BILINEAR)


def _muted(rng: np.random.Generator) -> Colour:
    return palette.any_colour(rng, saturation=(0.0, 0.55), value=(0.15, 0.95))


def _fill(colour: Colour, alpha: float = 1.0) -> tuple[int, int, int, int]:
    r, g, b = (min(255, int(value)) for value in colour)
    return r, g, b, round(255 * alpha)


def _draw_nothing(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    """A plain wall."""


def _draw_room(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(2, 7)):
        x, y = rng.uniform(-20, SIDE, 2)
        width, height = rng.uniform(8, 50, 2)
        pen.rectangle((x, y, x + width, y + height), fill=_fill(_muted(rng)), outline=_fill(_muted(rng)), width=2)
    for shelf in rng.uniform(0, SIDE, rng.integers(0, 3)):
        pen.rectangle((0, shelf, SIDE, shelf + 2), fill=_fill((70, 50, 35)))
        for x in np.arange(rng.uniform(0, 4), SIDE, 5):
            pen.rectangle((x, shelf - rng.uniform(8, 18), x + rng.uniform(2, 5), shelf), fill=_fill(_muted(rng)))


def _draw_outdoors(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    horizon = rng.uniform(35, 75)
    pen.rectangle((0, 0, SIDE, horizon), fill=_fill(palette.jittered((150, 190, 225), rng, 0.2)))
    pen.rectangle((0, horizon, SIDE, SIDE), fill=_fill(palette.jittered((110, 140, 80), rng, 0.3)))
    for _ in range(rng.integers(6, 30)):
        x, y, radius = rng.uniform(0, SIDE), rng.normal(horizon - 8, 14), rng.uniform(3, 14)
        leaves = palette.jittered((70, 105, 50), rng, 0.35)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_fill(leaves))


def _draw_clutter(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(5, 25)):
        x, y = rng.uniform(0, SIDE, 2)
        width, height = rng.uniform(2, 18, 2)
        colour = palette.any_colour(rng, saturation=(0.1, 0.9), value=(0.2, 1.0))
        pen.ellipse((x - width, y - height, x + width, y + height), fill=_fill(colour, rng.uniform(0.4, 1)))


def _draw_stripes(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    colour, step, slant = _muted(rng), rng.uniform(4, 16), rng.uniform(-60, 60)
    for x in np.arange(-60, SIDE + 60, step):
        pen.line((x, 0, x + slant, SIDE), fill=_fill(colour), width=max(1, int(step * 0.45)))
    if rng.uniform() < 0.5:
        for y in np.arange(0, SIDE, step):
            pen.line((0, y, SIDE, y), fill=_fill(colour), width=max(1, int(step * 0.3)))


def _draw_skin_like(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    """A blob in a skin colour, shaded, sometimes with two dark spots: not a face all the same."""
    x, y = rng.uniform(0, SIDE, 2)
    width, height = rng.uniform(3, 15), rng.uniform(4, 18)
    tone = palette.skin_tone(rng)
    pen.ellipse((x - width, y - height, x + width, y + height), fill=_fill(palette.scaled(tone, 0.75)))
    pen.ellipse((x - width, y - height, x + 0.6 * width, y + 0.8 * height), fill=_fill(tone, 0.8))
    if rng.uniform() < 0.4:
        for side in (-0.4, 0.4):
            spot = (x + side * width, y - 0.2 * height)
            pen.ellipse((spot[0] - 1.5, spot[1] - 1, spot[0] + 1.5, spot[1] + 1), fill=_fill((50, 35, 30)))


def _draw_hair_like(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    """A tuft of strands, like fur, grass or a curtain."""
    x, y = rng.uniform(0, SIDE, 2)
    width, length, lean = rng.uniform(8, 26), rng.uniform(15, 45), rng.uniform(-10, 10)
    colour = palette.hair_colour(rng)
    for start in rng.uniform(-width, width, 45):
        strand = palette.scaled(colour, rng.uniform(0.6, 1.4))
        pen.line((x + start, y, x + 1.15 * start + lean, y + length), fill=_fill(strand), width=2)
