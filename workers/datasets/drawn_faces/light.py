"""Lights the drawn colours: a key light from one side, a fill, relief, strands of hair and patterns of cloth."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workers.datasets.drawn_faces.canvas import Canvas
from workers.datasets.drawn_faces.head import Head
from workers.datasets.drawn_faces.palette import Colour
from workers.datasets.drawn_faces.parameters import FaceParameters, HairStyle
from workers.datasets.face_classes import FaceClass

Field = npt.NDArray[np.float32]

BODY = (FaceClass.NECK, FaceClass.CLOTHING)
STRANDS = 512


@dataclass(frozen=True)
class Light:
    """Direction towards the key light (x right, y down, z to the viewer), and the colours of key and fill."""

    direction: tuple[float, float, float]
    key: Colour
    fill: Colour
    hardness: float


def sample_light(rng: np.random.Generator) -> Light:
    x, y, z = rng.uniform(-1, 1), rng.uniform(-1.0, 0.25), rng.uniform(0.25, 1.0)
    length = float(np.sqrt(x * x + y * y + z * z))
    warmth, strength, ambient = rng.normal(0, 0.06), rng.uniform(0.35, 0.7), rng.uniform(0.4, 0.62)
    key = (strength * (1 + warmth), strength, strength * (1 - warmth))
    cool = rng.normal(0, 0.035)
    fill = (ambient * (1 - cool), ambient, ambient * (1 + cool))
    return Light((x / length, y / length, z / length), key, fill, rng.uniform(0.4, 1.0))


def shine(canvas: Canvas, head: Head, light: Light, rng: np.random.Generator) -> Field:
    """The lit picture [side, side, 3], 0 to 255, not yet clipped."""
    labels = np.asarray(canvas.labels)
    rgb = np.asarray(canvas.colour, dtype=np.float32).copy()
    u, v = _head_axes(canvas.side, head.face)
    _draw_strands(rgb, labels, u, v, head.face, rng)
    _draw_pattern(rgb, labels, u, v, head.face, rng)
    person, body = _lookup(labels, set(FaceClass) - {FaceClass.BACKGROUND}), _lookup(labels, set(BODY))
    face_relief, body_relief = canvas.relief(float(0.035 * head.scale))
    relief = np.where(body, body_relief, face_relief)
    relief = 1 + (relief - 1) * np.float32(light.hardness)
    diffuse = _lambert(u, v, light, body)
    for channel, (key, fill) in enumerate(zip(light.key, light.fill, strict=True)):
        lit = (np.float32(fill) + diffuse * np.float32(key)) * relief * rgb[..., channel]
        np.copyto(rgb[..., channel], lit, where=person)
    return rgb


def _lookup(labels: npt.NDArray[np.uint8], classes: set[FaceClass]) -> npt.NDArray[np.bool_]:
    table = np.zeros(256, dtype=bool)
    table[[int(member) for member in classes]] = True
    return table[labels]


def _head_axes(side: int, face: FaceParameters) -> tuple[Field, Field]:
    """Head units from the middle of the head, along its own axes, for every pixel."""
    pose = face.pose
    axis = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side)
    x, y = (axis - np.float32(pose.x))[None, :], (axis - np.float32(pose.y))[:, None]
    cos, sin = np.float32(np.cos(pose.roll) / pose.scale), np.float32(np.sin(pose.roll) / pose.scale)
    return x * cos + y * sin, y * cos - x * sin


def _lambert(u: Field, v: Field, light: Light, body: npt.NDArray[np.bool_]) -> Field:
    """Cosine between the light and an ellipsoid head, or, below, a broad upright body."""
    x = np.clip(np.where(body, u / 1.9, u / 1.02), -0.97, 0.97)
    y = np.where(body, np.float32(-0.25), np.clip(v / 1.25, -0.97, 0.97))
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0.02))
    lx, ly, lz = (np.float32(value) for value in light.direction)
    cosine: Field = (x * lx + y * ly + z * lz) / np.sqrt(x * x + y * y + z * z)
    return np.maximum(cosine, 0)


def _draw_strands(
    rgb: Field, labels: npt.NDArray[np.uint8], u: Field, v: Field, face: FaceParameters, rng: np.random.Generator
) -> None:
    """Strands run out from the crown; curls are blotches; a shine runs around the skull."""
    inside = (labels == FaceClass.HAIR) | (labels == FaceClass.BEARD)
    table = rng.normal(0, 1, STRANDS).astype(np.float32)
    wave, phase = rng.uniform(0, 0.06), rng.uniform(0, 6)
    if not inside.any():
        return
    x, y = u[inside], v[inside] + np.float32(1.35)
    radius = np.hypot(x, y)
    if face.styles.hair in (HairStyle.AFRO, HairStyle.BUZZ):
        place = (np.floor(x * 34) * 37 + np.floor(y * 34) * 101).astype(np.int64)
        value = table[place % STRANDS] * np.float32(0.13)
    else:
        angle = np.arctan2(x, y) + wave * np.sin(radius * 14 + phase)
        value = table[(angle * 46).astype(np.int64) % STRANDS] * np.float32(0.1)
        value += table[(angle * 17 + 100).astype(np.int64) % STRANDS] * np.float32(0.09)
        value += np.float32(0.28) * np.exp(-(((radius - 0.75) / 0.16) ** 2)) * (1 + 2 * value)
    rgb[inside] = rgb[inside] * (1 + value)[:, None] + 14 * value[:, None]


def _draw_pattern(
    rgb: Field, labels: npt.NDArray[np.uint8], u: Field, v: Field, face: FaceParameters, rng: np.random.Generator
) -> None:
    """Stripes or checks on the clothing, on every other garment or so; knit or print on headwear and facewear."""
    accent = np.array(face.colours.clothing_accent, dtype=np.float32)
    for label, chance in ((FaceClass.CLOTHING, 0.4), (FaceClass.HEADWEAR, 0.3), (FaceClass.FACEWEAR, 0.3)):
        kind, pitch = rng.uniform() / chance, np.float32(rng.uniform(8, 26))
        inside = labels == label
        if kind > 1 or not inside.any():
            continue
        x, y = u[inside] * pitch, v[inside] * pitch
        if kind < 0.35:
            on = np.sin(y) > 0.2
        elif kind < 0.6:
            on = np.sin(x) > 0.3
        elif kind < 0.8:
            on = (np.sin(x) > 0.4) | (np.sin(y) > 0.4)
        else:
            on = np.sin(x) * np.sin(y) > 0.35
        rgb[inside] += np.float32(0.6) * on[:, None] * (accent - rgb[inside])
