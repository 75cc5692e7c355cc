"""Draws one face: picture, labels and landmarks, all from (seed, index)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from workers.datasets.drawn_faces import palette
from workers.datasets.drawn_faces.accessories import draw_facewear, draw_glasses, draw_headwear
from workers.datasets.drawn_faces.background import draw_background
from workers.datasets.drawn_faces.body import Body, draw_chin_shadow, draw_clothing, draw_neck
from workers.datasets.drawn_faces.camera import take_picture
from workers.datasets.drawn_faces.canvas import Canvas
from workers.datasets.drawn_faces.curves import smooth
from workers.datasets.drawn_faces.features import (
    SIDES,
    draw_brow,
    draw_ear,
    draw_eye,
    draw_mouth,
    draw_nose,
    draw_skin,
)
from workers.datasets.drawn_faces.hair import HANGING, draw_beard, draw_hair, draw_hair_behind, draw_locks
from workers.datasets.drawn_faces.head import Head
from workers.datasets.drawn_faces.landmarks import face_landmarks
from workers.datasets.drawn_faces.light import Light, sample_light, shine
from workers.datasets.drawn_faces.parameters import FaceParameters, HeadwearStyle, sample_face
from workers.datasets.face_classes import FaceClass


@dataclass(frozen=True, eq=False)
class DrawnFace:
    """Picture RGB and labels (class ids) of the same size, landmarks [70, 2] in pixels."""

    picture: Image.Image
    labels: Image.Image
    landmarks: npt.NDArray[np.float64]


def draw_face(seed: int, index: int, size: int) -> DrawnFace:
    """Face `index` of the set `seed`. The person is the same at every size; noise is not."""
    person, scene, camera = (np.random.default_rng([seed, index, stream]) for stream in range(3))
    head = Head(sample_face(person))
    light = sample_light(scene)
    canvas = Canvas(size, _oversampling(size))
    canvas.background(draw_background(canvas.side, scene))
    _draw_person(canvas, head, light, scene)
    _draw_occluder(canvas, scene)
    picture = take_picture(shine(canvas, head, light, scene), size, camera)
    labels = canvas.labels.resize((size, size), Image.Resampling.NEAREST)
    landmarks = np.clip(face_landmarks(head) * size, 0, size - 1)
    return DrawnFace(picture, labels, landmarks)


def _oversampling(size: int) -> int:
    """Even, since relief is drawn at half the resolution; small pictures need more."""
    return 4 if size < 48 else 3 if size % 2 == 0 and size <= 96 else 2


def _draw_person(canvas: Canvas, head: Head, light: Light, rng: np.random.Generator) -> None:
    face, body = head.face, Body(head)
    draw_hair_behind(canvas, head, body, rng)
    draw_neck(canvas, body)
    draw_chin_shadow(canvas, body, -0.25 * light.direction[0])
    draw_clothing(canvas, body)
    near = [side for side in SIDES if head.facing(side) > 0.12]
    for side in SIDES:
        if side not in near and _ears_show(face):
            draw_ear(canvas, head, side)
    draw_skin(canvas, head)
    draw_beard(canvas, head, rng)
    draw_mouth(canvas, head)
    for side in SIDES:
        draw_eye(canvas, head, side)
        draw_brow(canvas, head, side)
    draw_nose(canvas, head)
    draw_hair(canvas, head, rng)
    if _ears_show(face):
        for side in near:
            draw_ear(canvas, head, side)
    draw_facewear(canvas, head)
    draw_glasses(canvas, head, rng)
    draw_locks(canvas, head, body, rng)
    draw_headwear(canvas, head, rng)


def _ears_show(face: FaceParameters) -> bool:
    return face.styles.hair not in HANGING and face.styles.headwear is not HeadwearStyle.HEADSCARF


def _draw_occluder(canvas: Canvas, rng: np.random.Generator) -> None:
    """In one picture of ten, something stands between camera and person; it counts as background."""
    shown, corner = rng.uniform() < 0.1, rng.uniform(0, 1, 2)
    blob = smooth(corner + rng.uniform(0.06, 0.16, (6, 1)) * _directions())
    colour = palette.any_colour(rng, saturation=(0.1, 0.8), value=(0.1, 0.9))
    if shown:
        canvas.shape(blob, colour, FaceClass.BACKGROUND)


def _directions() -> npt.NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    return np.column_stack([np.cos(angle), np.sin(angle)])
