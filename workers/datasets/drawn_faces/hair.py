"""Hair on the head, behind it, and the beard."""

import numpy as np

from workers.datasets.drawn_faces import palette
from workers.datasets.drawn_faces.body import Body
from workers.datasets.drawn_faces.canvas import Canvas
from workers.datasets.drawn_faces.curves import Points, ellipse, points, smooth
from workers.datasets.drawn_faces.head import Head
from workers.datasets.drawn_faces.parameters import BeardStyle, HairStyle
from workers.datasets.face_classes import FaceClass

# How far the hair stands off the skull, in head units.
VOLUME = {
    HairStyle.RECEDING: 0.05,
    HairStyle.BUZZ: 0.03,
    HairStyle.SHORT: 0.12,
    HairStyle.FRINGE: 0.14,
    HairStyle.BOB: 0.17,
    HairStyle.LONG: 0.15,
    HairStyle.BUN: 0.07,
    HairStyle.AFRO: 0.42,
}
HANGING = (HairStyle.BOB, HairStyle.LONG)


def draw_hair_behind(canvas: Canvas, head: Head, body: Body, rng: np.random.Generator) -> None:
    """What neck and head will cover: long hair, a bun, the far side of an afro."""
    style, colour = head.face.styles.hair, palette.scaled(head.face.colours.hair, 0.72)
    if style in HANGING:
        canvas.shape(_curtain(head, body, rng), colour, FaceClass.HAIR)
    elif style is HairStyle.BUN:
        knot = head.project(points((0, -1.05, -0.55)))[0]
        canvas.shape(knot + ellipse(0, 0, 0.36 * head.scale, 0.34 * head.scale), colour, FaceClass.HAIR)
    elif style is HairStyle.AFRO:
        canvas.shape(_afro(head), colour, FaceClass.HAIR)


def _afro(head: Head) -> Points:
    centre = head.project(points((0, -0.42, -0.25)))[0]
    ball: Points = centre + ellipse(0, 0, 1.2 * head.scale, 1.12 * head.scale, count=40)
    return ball


def _curtain(head: Head, body: Body, rng: np.random.Generator) -> Points:
    """From the crown down to jaw (bob) or chest (long), ending in uneven locks."""
    grow = VOLUME[head.face.styles.hair] + 0.04
    crown = head.outline(bottom=0.1, grow=grow)
    half = len(crown) // 2
    length = 0.15 if head.face.styles.hair is HairStyle.BOB else rng.uniform(0.6, 1.6)
    right, left = crown[half - 1], crown[half]
    ends = np.linspace(1.05, -1.05, 9)
    locks = body.place(np.column_stack([ends, length + rng.uniform(-0.12, 0.12, 9)]))
    return np.concatenate([crown[:half], [right], locks, [left], crown[half:]])


def draw_hair(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    """The cap of hair over the skull, down to the hairline."""
    style, colour = head.face.styles.hair, head.face.colours.hair
    if style is HairStyle.BALD:
        return
    tips = 0.03 if style in (HairStyle.SHORT, HairStyle.FRINGE) else 0.0
    crown = head.outline(bottom=_end_of_sides(style), grow=VOLUME[style])
    crown = crown + rng.normal(0, tips * head.scale, crown.shape)
    line = _hairline(head, style, rng)
    canvas.shape(np.concatenate([_from_left_over_top(crown), line]), colour, FaceClass.HAIR)
    canvas.face_shade(np.concatenate([line, (line + points((0, 0.1 * head.scale)))[::-1]]), -0.3)


def _end_of_sides(style: HairStyle) -> float:
    return {HairStyle.BOB: 0.75, HairStyle.LONG: 0.8, HairStyle.AFRO: 0.2}.get(style, 0.3)


def _from_left_over_top(outline: Points) -> Points:
    half = len(outline) // 2
    return np.concatenate([outline[half:], outline[:half]])


def _hairline(head: Head, style: HairStyle, rng: np.random.Generator) -> Points:
    """From the person's left sideburn over the forehead to the right one, in the image."""
    height = {HairStyle.RECEDING: -0.88, HairStyle.BUZZ: -0.66, HairStyle.FRINGE: -0.36, HairStyle.AFRO: -0.6}.get(
        style, -0.66
    )
    parting = rng.uniform(-0.4, 0.4)
    temple = 0.64 if style not in HANGING else 0.6
    low = 0.3 if style not in HANGING else 0.72
    near = points((0.74, low), (0.7, 0.05), (temple + 0.03, -0.25), (temple - 0.06, -0.48))
    if style is HairStyle.RECEDING:
        near[2:, 0] = 0.72
    x = np.linspace(0.42, -0.42, 7)
    y = height + 0.14 * np.abs(x) ** 1.5 - 0.07 * np.exp(-(((x - parting) / 0.12) ** 2))
    if style is HairStyle.FRINGE:
        y += rng.uniform(-0.05, 0.07, 7)
    front = np.column_stack([x, y])
    flat = np.concatenate([near, front, (near * (-1, 1))[::-1]])
    flat[:, 0] *= head.face.shape.width
    return head.on_visible_face(smooth(flat, closed=False, steps=3))


def draw_locks(canvas: Canvas, head: Head, body: Body, rng: np.random.Generator) -> None:
    """Long hair in front of the shoulders."""
    if head.face.styles.hair is not HairStyle.LONG:
        return
    for side in (-1, 1):
        if rng.uniform() < 0.45:
            continue
        start = head.project(points((side * 0.84, 0.2, -0.1)))
        end = body.place(
            points((side * 0.75, 0.5), (side * 0.7, 1.3 + rng.uniform(0, 0.4)), (side * 1.0, 1.3), (side * 1.12, 0.4))
        )
        outer = head.project(points((side * 0.9, 0.1, -0.5)))
        canvas.shape(smooth(np.concatenate([start, end, outer])), head.face.colours.hair, FaceClass.HAIR)


def draw_beard(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    style, colour = head.face.styles.beard, head.face.colours.beard
    if style is BeardStyle.NONE:
        return
    if style is not BeardStyle.MOUSTACHE:
        canvas.shape(_chin_beard(head, style, rng), colour, FaceClass.BEARD)
    moustache = points((0, 0.575), (0.14, 0.59), (0.3, 0.71), (0.33, 0.8), (0.2, 0.74), (0, 0.73))
    whole = np.concatenate([moustache, (moustache[1:-1] * (-1, 1))[::-1]])
    canvas.shape(head.on_face(smooth(whole, steps=3), lift=0.03), colour, FaceClass.BEARD)


def _chin_beard(head: Head, style: BeardStyle, rng: np.random.Generator) -> Points:
    length = rng.uniform(0.03, 0.3)
    if style is BeardStyle.GOATEE:
        half = points((0.32, 0.74), (0.3, 0.95), (0.16, 1.06 + length), (0, 1.09 + length))
        flat = np.concatenate([half, (half[:-1] * (-1, 1))[::-1]])
        return head.on_face(smooth(flat), lift=0.03)
    jaw = head.outline(top=0.22, grow=0.03)
    middle = len(jaw) // 2
    down = np.exp(-((np.arange(len(jaw)) - middle) ** 2) / (0.06 * len(jaw) ** 2))
    jaw = jaw + np.column_stack([0 * down, length * head.scale * down])
    cheek = points((-0.66, 0.22), (-0.6, 0.45), (-0.36, 0.66), (0, 0.62), (0.36, 0.66), (0.6, 0.45), (0.66, 0.22))
    flat = smooth(cheek * (head.face.shape.width, 1), closed=False, steps=3)
    return np.concatenate([jaw, head.on_visible_face(flat)])
