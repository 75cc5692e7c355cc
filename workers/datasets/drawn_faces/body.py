"""Neck, shoulders and clothing. The body stays upright, whatever the head does."""

import numpy as np

from workers.datasets.drawn_faces import palette
from workers.datasets.drawn_faces.canvas import Canvas
from workers.datasets.drawn_faces.curves import Points, ellipse, mirror, points, smooth
from workers.datasets.drawn_faces.head import Head
from workers.datasets.drawn_faces.parameters import ClothingStyle
from workers.datasets.face_classes import FaceClass


class Body:
    """Places points given relative to the neck's root, in head units, upright, into the image."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.nape = head.project(points((0, 0.72, -0.2)))[0]
        # The root follows the head a little less than the nape does.
        self.root = self.nape + head.scale * np.array([-0.5 * np.sin(head.face.pose.roll), 0.62])

    def place(self, flat: Points) -> Points:
        placed: Points = flat * self.head.scale + self.root
        return placed


def draw_neck(canvas: Canvas, body: Body) -> None:
    width = 0.46 * body.head.face.shape.neck_width
    top = (body.nape - body.root) / body.head.scale
    skin = palette.scaled(body.head.face.colours.skin, 0.93)
    left = points(
        (top[0] - width, top[1] - 0.5),
        (top[0] - width, top[1] + 0.1),
        (-width * 1.02, 0.0),
        (-width * 1.6, 0.3),
        (-1.3, 0.62),
        (-1.3, 1.3),
    )
    right = points(
        (top[0] + width, top[1] - 0.5),
        (top[0] + width, top[1] + 0.1),
        (width * 1.02, 0.0),
        (width * 1.6, 0.3),
        (1.3, 0.62),
        (1.3, 1.3),
    )
    canvas.shape(body.place(np.concatenate([left, right[::-1]])), skin, FaceClass.NECK)
    for side in (-1, 1):
        cord = smooth(points((side * width * 0.75, -0.35), (side * width * 0.5, 0.1), (side * 0.1, 0.42)), closed=False)
        canvas.line(body.place(cord), palette.scaled(skin, 0.8), 0.05 * body.head.scale, alpha=0.3)
        bone = smooth(points((side * 0.1, 0.44), (side * 0.5, 0.4), (side * 0.9, 0.42)), closed=False)
        canvas.line(body.place(bone), palette.scaled(skin, 0.8), 0.04 * body.head.scale, alpha=0.35)


def draw_chin_shadow(canvas: Canvas, body: Body, slant: float) -> None:
    """The head's shadow on the neck; `slant` moves it away from the light, in head units."""
    shadow = body.head.outline(top=-0.3) + body.head.scale * np.array([slant, 0.2])
    canvas.body_shade(shadow, -0.5)


def draw_clothing(canvas: Canvas, body: Body) -> None:
    style, colour = body.head.face.styles.clothing, body.head.face.colours.clothing
    if style is ClothingStyle.HOODIE:
        hood = mirror(points((0.0, -0.2), (0.6, -0.42), (1.0, 0.1), (0.7, 0.5), (0.0, 0.7)))
        canvas.shape(body.place(smooth(hood)), palette.scaled(colour, 0.7), FaceClass.CLOTHING)
        _redraw_neck(canvas, body)
    canvas.shape(body.place(_garment(style)), colour, FaceClass.CLOTHING)
    draw = {
        ClothingStyle.SHIRT: _draw_collar,
        ClothingStyle.TURTLENECK: _draw_turtleneck,
        ClothingStyle.HOODIE: _draw_cords,
        ClothingStyle.CREW: _draw_ribbing,
    }.get(style)
    if draw is not None:
        draw(canvas, body)
    for side in (-1, 1):
        fold = points((side * 0.9, 0.9), (side * 1.15, 0.8), (side * 1.3, 2.2), (side * 1.0, 2.2))
        canvas.body_shade(body.place(fold), -0.22)


def _garment(style: ClothingStyle) -> Points:
    inner, depth = {
        ClothingStyle.CREW: (0.52, 0.42),
        ClothingStyle.V_NECK: (0.5, 0.95),
        ClothingStyle.SHIRT: (0.46, 0.62),
        ClothingStyle.TURTLENECK: (0.5, 0.1),
        ClothingStyle.HOODIE: (0.6, 0.5),
        ClothingStyle.TANK: (0.78, 0.75),
    }[style]
    collar = -0.02 if style is not ClothingStyle.TANK else 0.34
    round_neck = smooth(points((0.0, depth), (inner * 0.62, depth * 0.75), (inner, collar + 0.05)), closed=False)
    vee = points((0.0, depth), (inner, collar + 0.05))
    neckline = vee if style in (ClothingStyle.V_NECK, ClothingStyle.SHIRT) else round_neck
    shoulder = smooth(
        points((inner + 0.06, collar + 0.02), (0.9, 0.32), (1.35, 0.46), (1.7, 0.75), (1.95, 1.5), (2.2, 4.0)),
        closed=False,
    )
    half = np.concatenate([neckline, shoulder])
    return np.concatenate([half, mirror(half)[len(half) :]])


def _redraw_neck(canvas: Canvas, body: Body) -> None:
    width = 0.46 * body.head.face.shape.neck_width
    top = (body.nape - body.root) / body.head.scale
    throat = points(
        (top[0] - width, top[1] - 0.3),
        (top[0] + width, top[1] - 0.3),
        (width * 1.1, 0.1),
        (0.35, 0.6),
        (-0.35, 0.6),
        (-width * 1.1, 0.1),
    )
    canvas.shape(body.place(throat), palette.scaled(body.head.face.colours.skin, 0.93), FaceClass.NECK)


def _draw_collar(canvas: Canvas, body: Body) -> None:
    colour = palette.between(body.head.face.colours.clothing, (250, 250, 250), 0.25)
    for side in (-1, 1):
        flap = points((side * 0.5, -0.12), (side * 0.62, 0.1), (side * 0.42, 0.72), (side * 0.02, 0.62))
        canvas.shape(body.place(flap), colour, FaceClass.CLOTHING)
        canvas.line(body.place(flap[1:]), palette.scaled(colour, 0.6), 0.02 * body.head.scale)
    canvas.line(body.place(points((0, 0.62), (0, 3))), palette.scaled(colour, 0.6), 0.025 * body.head.scale)


def _draw_turtleneck(canvas: Canvas, body: Body) -> None:
    colour = body.head.face.colours.clothing
    width = 0.5 * body.head.face.shape.neck_width
    tube = smooth(
        points((-width, -0.28), (0, -0.16), (width, -0.28), (width * 1.15, 0.3), (0, 0.42), (-width * 1.15, 0.3))
    )
    canvas.shape(body.place(tube), palette.scaled(colour, 0.9), FaceClass.CLOTHING)
    fold = smooth(points((-width, 0.0), (0, 0.12), (width, 0.0)), closed=False)
    canvas.line(body.place(fold), palette.scaled(colour, 0.6), 0.03 * body.head.scale)


def _draw_cords(canvas: Canvas, body: Body) -> None:
    colour = body.head.face.colours.clothing_accent
    for side in (-1, 1):
        cord = smooth(points((side * 0.3, 0.5), (side * 0.26, 0.9), (side * 0.3, 1.4)), closed=False)
        canvas.line(body.place(cord), colour, 0.04 * body.head.scale)


def _draw_ribbing(canvas: Canvas, body: Body) -> None:
    colour = palette.scaled(body.head.face.colours.clothing, 0.7)
    half = points((0.0, 0.46), (0.34, 0.36), (0.55, 0.04))
    rib = smooth(np.concatenate([half[::-1], half[1:] * (-1, 1)]), closed=False)
    canvas.line(body.place(rib), colour, 0.06 * body.head.scale)


def shoulder_ellipse(body: Body) -> Points:
    """A soft patch of light on the upper chest."""
    return body.place(ellipse(0, 1.2, 0.8, 0.5))
