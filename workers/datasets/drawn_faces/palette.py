"""Colours as RGB triples of floats, 0 to 255."""

import colorsys

import numpy as np

Colour = tuple[float, float, float]

SKIN_TONES: tuple[Colour, ...] = (
    (255, 226, 205),
    (245, 204, 174),
    (231, 182, 146),
    (209, 152, 112),
    (178, 120, 84),
    (141, 90, 62),
    (106, 68, 49),
    (76, 49, 38),
)
HAIR_COLOURS: tuple[Colour, ...] = (
    (30, 24, 22),
    (44, 32, 27),
    (66, 44, 32),
    (98, 66, 42),
    (136, 98, 62),
    (196, 158, 100),
    (224, 204, 164),
    (152, 66, 34),
    (148, 146, 143),
    (218, 215, 210),
)
IRIS_COLOURS: tuple[Colour, ...] = (
    (62, 38, 22),
    (92, 60, 34),
    (120, 96, 52),
    (88, 116, 84),
    (84, 124, 156),
    (116, 136, 148),
)


def between(start: Colour, end: Colour, share: float) -> Colour:
    r, g, b = (a + (z - a) * share for a, z in zip(start, end, strict=True))
    return r, g, b


def scaled(colour: Colour, factor: float) -> Colour:
    r, g, b = colour
    return r * factor, g * factor, b * factor


def tinted(colour: Colour, by: Colour) -> Colour:
    r, g, b = (a * t for a, t in zip(colour, by, strict=True))
    return r, g, b


def jittered(colour: Colour, rng: np.random.Generator, amount: float) -> Colour:
    r, g, b = (float(np.clip(value * rng.uniform(1 - amount, 1 + amount), 0, 255)) for value in colour)
    return r, g, b


def any_colour(rng: np.random.Generator, *, saturation: tuple[float, float], value: tuple[float, float]) -> Colour:
    r, g, b = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(*saturation), rng.uniform(*value))
    return r * 255, g * 255, b * 255


def skin_tone(rng: np.random.Generator) -> Colour:
    place = rng.uniform(0, len(SKIN_TONES) - 1.001)
    return jittered(between(SKIN_TONES[int(place)], SKIN_TONES[int(place) + 1], place % 1), rng, 0.03)


def hair_colour(rng: np.random.Generator) -> Colour:
    if rng.uniform() < 0.06:
        return any_colour(rng, saturation=(0.4, 0.9), value=(0.35, 0.9))
    return jittered(HAIR_COLOURS[rng.integers(len(HAIR_COLOURS))], rng, 0.14)
