"""Eyes, brows, nose, mouth and ears, drawn on the skin. `side`: -1 is the person's right (image left), 1 the left."""

import numpy as np

from workers.datasets.drawn_faces import palette
from workers.datasets.drawn_faces.canvas import Canvas
from workers.datasets.drawn_faces.curves import Points, ellipse, mirror, points, smooth
from workers.datasets.drawn_faces.head import Head
from workers.datasets.face_classes import FaceClass

EYE_X, EYE_HALF_WIDTH, EYE_HEIGHT = 0.33, 0.19, 0.105
SIDES = (-1, 1)
# Beyond this yaw towards its side the nose hides an eye, or the cheek does.
HIDDEN_BEYOND = 0.95


def draw_skin(canvas: Canvas, head: Head) -> None:
    skin = head.face.colours.skin
    canvas.shape(head.outline(), skin, FaceClass.SKIN)
    for side in SIDES:
        _draw_cheek(canvas, head, side)
    socket = smooth(
        points(
            (-0.55, -0.05), (-0.3, -0.2), (0, -0.06), (0.3, -0.2), (0.55, -0.05), (0.3, 0.16), (0, 0.05), (-0.3, 0.16)
        )
    )
    canvas.face_shade(head.on_face(socket), -0.17)


def _draw_cheek(canvas: Canvas, head: Head, side: int) -> None:
    skin = head.face.colours.skin
    blush = palette.tinted(skin, (1.03, 0.88, 0.86))
    canvas.shape(head.on_face(ellipse(side * 0.43, 0.36, 0.17, 0.15)), blush, alpha=0.35)
    canvas.face_shade(head.on_face(ellipse(side * 0.42, 0.3, 0.16, 0.1)), 0.1)
    fold = smooth(points((side * 0.2, 0.42), (side * 0.31, 0.58), (side * 0.36, 0.72)), closed=False)
    canvas.line(
        head.on_face(fold), palette.scaled(skin, 0.78), 0.008, alpha=0.35 * (0.6 + max(0, head.face.expression.smile))
    )


def eye_lids(head: Head, across: Points) -> tuple[Points, Points]:
    """Heights of upper and lower lid at `across`: -1 at the inner corner to 1 at the outer one."""
    face = head.face
    bow = np.clip(1 - across**2, 0, 1)
    corner = -face.shape.eye_tilt * across
    height = EYE_HEIGHT * face.shape.eye_size * face.expression.eyes_open
    return corner - height * bow**0.75, corner + 0.62 * height * bow**0.9


def eye_position(head: Head, across: Points, side: int) -> Points:
    """Frontal x of the places `across` an eye."""
    shape = head.face.shape
    return side * (EYE_X * shape.eye_distance * shape.width + EYE_HALF_WIDTH * shape.eye_size * across)


def draw_eye(canvas: Canvas, head: Head, side: int) -> None:
    if head.facing(-side) > np.sin(HIDDEN_BEYOND):
        return
    label = FaceClass.RIGHT_EYE if side < 0 else FaceClass.LEFT_EYE
    across = np.linspace(-1, 1, 15)
    upper, lower = eye_lids(head, across)
    x = eye_position(head, across, side)
    rim = np.concatenate([np.column_stack([x, upper]), np.column_stack([x, lower])[::-1]])
    canvas.shape(head.on_face(rim), (238, 232, 228), label)
    _draw_iris(canvas, head, side)
    skin = head.face.colours.skin
    lash = palette.between(palette.scaled(skin, 0.3), (20, 15, 12), 0.6)
    canvas.line(head.on_face(np.column_stack([x, upper])), lash, 0.035 * head.scale)
    canvas.line(head.on_face(np.column_stack([x, lower])), palette.scaled(skin, 0.62), 0.015 * head.scale, alpha=0.6)
    crease = np.column_stack([x, upper - 0.055])
    canvas.line(head.on_face(crease), palette.scaled(skin, 0.66), 0.016 * head.scale, alpha=0.55)


def iris_centre(head: Head, side: int) -> Points:
    """Frontal place [1, 2] of the pupil."""
    expression = head.face.expression
    x = eye_position(head, np.array([0.0]), side)[0] + expression.gaze_x * EYE_HALF_WIDTH
    return points((x, -0.015 + expression.gaze_y * EYE_HEIGHT))


def _draw_iris(canvas: Canvas, head: Head, side: int) -> None:
    centre = iris_centre(head, side)[0]
    iris = head.face.colours.iris
    radius = 0.095 * head.face.shape.eye_size
    parts = ((1.0, palette.scaled(iris, 0.55)), (0.82, iris), (0.45, (14, 10, 9)))
    for share, colour in parts:
        canvas.shape(head.on_face(_between_lids(head, centre, radius * share, side)), colour)
    glint = ellipse(centre[0] - 0.025, centre[1] - 0.03, 0.02, 0.02, count=8)
    if head.face.expression.eyes_open > 0.5:
        canvas.shape(head.on_face(glint), (255, 255, 255), alpha=0.9)


def _between_lids(head: Head, centre: Points, radius: float, side: int) -> Points:
    disc = ellipse(centre[0], centre[1], radius, radius, count=18)
    middle = eye_position(head, np.array([0.0]), side)[0]
    across = side * (disc[:, 0] - middle) / (EYE_HALF_WIDTH * head.face.shape.eye_size)
    upper, lower = eye_lids(head, np.clip(across, -1, 1))
    disc[:, 1] = np.clip(disc[:, 1], upper, lower)
    return disc


def brow_line(head: Head, across: Points, side: int) -> Points:
    """Middle line of a brow: `across` from 0 (inner end) to 1 (outer end)."""
    face = head.face
    arch = 0.075 * face.shape.brow_arch * np.sin(np.pi * np.clip(across * 0.8 + 0.05, 0, 1))
    y = -0.24 - face.expression.brow_raise - arch + 0.05 * across**2
    x = side * (0.13 + 0.43 * across) * face.shape.width * face.shape.eye_distance
    return np.column_stack([x, y])


def draw_brow(canvas: Canvas, head: Head, side: int) -> None:
    label = FaceClass.RIGHT_BROW if side < 0 else FaceClass.LEFT_BROW
    across = np.linspace(0, 1, 8)
    middle = brow_line(head, across, side)
    half = 0.05 * head.face.shape.brow_thickness * np.array([0.8, 1.05, 1.1, 1.0, 0.9, 0.7, 0.45, 0.12])
    rim = np.concatenate(
        [middle - np.column_stack([0 * half, half]), (middle + np.column_stack([0 * half, half]))[::-1]]
    )
    colour = head.face.colours.brows
    canvas.shape(head.on_face(rim, lift=0.02), colour, label)
    for start in (0, 2, 4):
        stroke = middle[start : start + 2] + points((0, 0.02), (0, -0.025))
        canvas.line(head.on_face(stroke, lift=0.02), palette.scaled(colour, 0.72), 0.012 * head.scale)


def draw_nose(canvas: Canvas, head: Head) -> None:
    shape, skin = head.face.shape, head.face.colours.skin
    wide, long = shape.nose_width, shape.nose_length
    # x, y and how far in front of the face: the bridge begins flat, the tip stands out.
    half = points(
        (0.0, -0.1, 0.02), (0.075, -0.06, 0.0), (0.075 * wide, 0.12, 0.06), (0.12 * wide, 0.3, 0.08),
        (0.185 * wide, 0.41, 0.02), (0.165 * wide, 0.49, 0.02), (0.08 * wide, 0.5, 0.12), (0.0, 0.525, 0.16),
    )  # fmt: skip
    half[:, 1] *= long
    outline = smooth(mirror(half)[:-1], steps=3)
    canvas.shape(_raised(head, outline), palette.tinted(skin, (1.02, 0.9, 0.87)), FaceClass.NOSE)
    for side in SIDES:
        _draw_nostril(canvas, head, side)
    bridge = points((-0.03, 0.0, 0.1), (0.03, 0.0, 0.1), (0.05, 0.38 * long, 0.2), (-0.05, 0.38 * long, 0.2))
    canvas.face_shade(_raised(head, bridge), 0.22)
    under = points((-0.17 * wide, 0.5, 0), (0.17 * wide, 0.5, 0), (0.1, 0.6, 0), (-0.1, 0.6, 0)) * (1, long, 1)
    canvas.face_shade(_raised(head, under), -0.4)


def _draw_nostril(canvas: Canvas, head: Head, side: int) -> None:
    shape, skin = head.face.shape, head.face.colours.skin
    wide, long = shape.nose_width, shape.nose_length
    hole = ellipse(side * 0.075 * wide, 0.475 * long, 0.042 * wide, 0.024, count=10)
    canvas.shape(_raised(head, np.column_stack([hole, np.full(len(hole), 0.06)])), palette.scaled(skin, 0.32))
    wing = points(
        (side * 0.12 * wide, 0.34 * long, 0.06),
        (side * 0.185 * wide, 0.41 * long, 0.02),
        (side * 0.16 * wide, 0.49 * long, 0.02),
    )
    canvas.line(_raised(head, smooth(wing, closed=False)), palette.scaled(skin, 0.6), 0.02 * head.scale, alpha=0.7)
    flank = points(
        (side * 0.05, 0.0, 0.0),
        (side * 0.13, 0.1, 0.0),
        (side * 0.19 * wide, 0.4 * long, 0.0),
        (side * 0.06, 0.35 * long, 0.1),
    )
    canvas.face_shade(_raised(head, flank), -0.14)


def _raised(head: Head, solid: Points) -> Points:
    surface = head.surface(solid[:, :2])
    surface[:, 2] += solid[:, 2]
    return head.project(surface)


def mouth_curves(head: Head, across: Points) -> tuple[Points, Points, Points, Points]:
    """Heights at `across` (-1 to 1) of the upper lip's top, its lower edge, the lower lip's upper edge, its bottom."""
    face = head.face
    full = face.shape.lip_thickness
    bow = np.clip(1 - across**2, 0, 1)
    line = 0.735 - 0.09 * face.expression.smile * (across**2 - 0.35)
    gap = 0.26 * face.expression.mouth_open * bow**0.7
    cupid = 0.018 * full * np.exp(-((across / 0.16) ** 2))
    upper_inner = line - 0.25 * gap
    lower_inner = line + 0.75 * gap
    upper_outer = upper_inner - 0.078 * full * bow**0.6 + cupid
    lower_outer = lower_inner + 0.1 * full * bow**0.7
    return upper_outer, upper_inner, lower_inner, lower_outer


def mouth_x(head: Head, across: Points) -> Points:
    face = head.face
    half = 0.27 * face.shape.mouth_width * (1 + 0.14 * face.expression.smile - 0.1 * face.expression.mouth_open)
    return half * across


def draw_mouth(canvas: Canvas, head: Head) -> None:
    across = np.linspace(-1, 1, 17)
    x = mouth_x(head, across)
    rows = [np.column_stack([x, y]) for y in mouth_curves(head, across)]
    lips = head.face.colours.lips
    if head.face.expression.mouth_open > 0.08:
        _draw_interior(canvas, head, rows[1], rows[2])
    canvas.shape(_ribbon(head, rows[0], rows[1]), palette.scaled(lips, 0.86), FaceClass.TOP_LIP)
    canvas.shape(_ribbon(head, rows[2], rows[3]), lips, FaceClass.BOTTOM_LIP)
    canvas.line(head.on_face(rows[1], lift=0.03), palette.scaled(lips, 0.42), 0.014 * head.scale, alpha=0.8)
    shine = points((-0.09, 0.01), (0.09, 0.01), (0.06, 0.05), (-0.06, 0.05)) + points((0, float(rows[2][8, 1])))
    canvas.face_shade(head.on_face(shine, lift=0.04), 0.3)
    below = ellipse(0, float(rows[3][8, 1]) + 0.06, 0.15, 0.035, count=10)
    canvas.face_shade(head.on_face(below), -0.28)


def _draw_interior(canvas: Canvas, head: Head, upper: Points, lower: Points) -> None:
    canvas.shape(_ribbon(head, upper, lower), (62, 18, 20), FaceClass.MOUTH_INTERIOR)
    gap = lower[:, 1] - upper[:, 1]
    inner = slice(2, -2)
    teeth = upper.copy()
    teeth[:, 1] += np.minimum(0.55 * gap, 0.075)
    canvas.shape(_ribbon(head, upper[inner], teeth[inner]), (232, 226, 214))
    tongue = lower.copy()
    tongue[:, 1] -= np.maximum(gap - 0.12, 0) * 0.7
    canvas.shape(_ribbon(head, tongue[4:-4], lower[4:-4]), (168, 72, 76))


def _ribbon(head: Head, upper: Points, lower: Points) -> Points:
    return head.on_face(np.concatenate([upper, lower[::-1]]), lift=0.03)


def draw_ear(canvas: Canvas, head: Head, side: int) -> None:
    label = FaceClass.RIGHT_EAR if side < 0 else FaceClass.LEFT_EAR
    skin = palette.tinted(head.face.colours.skin, (1.0, 0.92, 0.9))
    rim = points(
        (0.0, -0.16), (0.12, -0.24), (0.25, -0.2), (0.3, -0.05), (0.24, 0.14), (0.14, 0.3), (0.04, 0.34), (-0.02, 0.2)
    )
    canvas.shape(_on_ear(head, smooth(rim), side), skin, label)
    hollow = points((0.06, -0.1), (0.15, -0.16), (0.22, -0.06), (0.16, 0.1), (0.08, 0.18))
    canvas.shape(_on_ear(head, smooth(hollow), side), palette.scaled(skin, 0.68), alpha=0.8)
    canvas.line(_on_ear(head, smooth(rim[1:5], closed=False), side), palette.scaled(skin, 0.82), 0.014 * head.scale)


def _on_ear(head: Head, flat: Points, side: int) -> Points:
    """The ear is a leaf that stands off the side of the head, backwards and outwards."""
    flat = flat * head.face.shape.ear_size
    width = 0.74 * head.face.shape.width
    x = side * (width + 0.62 * flat[:, 0])
    return head.project(np.column_stack([x, flat[:, 1] + 0.12, 0.0 - 0.78 * flat[:, 0]]))
