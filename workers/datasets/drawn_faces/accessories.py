"""Glasses, headwear and facewear."""

import numpy as np

from workers.datasets.drawn_faces import palette
from workers.datasets.drawn_faces.canvas import Canvas
from workers.datasets.drawn_faces.curves import Points, ellipse, mirror, points, smooth
from workers.datasets.drawn_faces.features import SIDES
from workers.datasets.drawn_faces.head import CROWN, Head
from workers.datasets.drawn_faces.parameters import FacewearStyle, GlassesStyle, HeadwearStyle
from workers.datasets.face_classes import FaceClass


def draw_glasses(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    style = head.face.styles.glasses
    if style is GlassesStyle.NONE:
        return
    frame = head.face.colours.frame
    roundness, height = rng.uniform(2.0, 5.0), rng.uniform(0.15, 0.21)
    thickness = head.scale * rng.uniform(0.035, 0.06)
    for side in SIDES:
        rim = head.project(_lens(side, roundness, height))
        _fill_lens(canvas, head, rim, style)
        canvas.line(np.concatenate([rim, rim[:2]]), frame, thickness, FaceClass.GLASSES)
        if head.facing(side) > -0.25:
            temple = head.project(
                points((side * 0.58, -0.06, 0.7), (side * 0.79, -0.05, 0.35), (side * 0.8, -0.02, -0.1))
            )
            canvas.line(temple, frame, thickness, FaceClass.GLASSES)
    bridge = head.project(points((-0.1, -0.03, 0.82), (0, -0.06, 0.85), (0.1, -0.03, 0.82)))
    canvas.line(bridge, frame, thickness, FaceClass.GLASSES)


def _lens(side: int, roundness: float, height: float) -> Points:
    """A superellipse before the eye, a little bent around the face."""
    angle = np.linspace(0, 2 * np.pi, 26, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    x = side * (0.335 + 0.235 * np.sign(cos) * np.abs(cos) ** (2 / roundness))
    y = 0.02 + height * np.sign(sin) * np.abs(sin) ** (2 / roundness)
    return np.column_stack([x, y, 0.86 - 0.4 * x**2])


def _fill_lens(canvas: Canvas, head: Head, rim: Points, style: GlassesStyle) -> None:
    if style is GlassesStyle.CLEAR:
        canvas.shape(rim, (215, 228, 240), alpha=0.13)
        return
    canvas.shape(rim, head.face.colours.lens, FaceClass.GLASSES)
    middle = rim.mean(axis=0)
    glare = middle + (rim[[16, 19, 6, 9]] - middle) * 0.75
    canvas.shape(glare, (225, 235, 245), alpha=0.22)


def draw_facewear(canvas: Canvas, head: Head) -> None:
    style, colour = head.face.styles.facewear, head.face.colours.facewear
    if style is FacewearStyle.NONE:
        return
    if style is FacewearStyle.SURGICAL:
        colour = palette.between(colour, (176, 214, 228), 0.7)
    half = points(
        (0.0, 0.2, 0.2), (0.2, 0.26, 0.12), (0.62, 0.36, 0.0), (0.64, 0.75, 0.02), (0.4, 1.0, 0.06), (0.0, 1.16, 0.08)
    )
    if style is FacewearStyle.BANDANA:
        half = points((0.0, 0.16, 0.2), (0.72, 0.2, 0.0), (0.74, 0.5, 0.0), (0.45, 1.1, 0.05), (0.0, 1.6, 0.05))
    half[:, 0] *= head.face.shape.width
    for side in SIDES:
        _draw_straps(canvas, head, side, style)
    outline = _lifted(head, smooth(mirror(half), steps=4))
    canvas.shape(outline, colour, FaceClass.FACEWEAR)
    for y in (0.52, 0.68, 0.84) if style is not FacewearStyle.CLOTH else ():
        pleat = smooth(points((-0.5, y - 0.03, 0.03), (0, y, 0.1), (0.5, y - 0.03, 0.03)), closed=False)
        canvas.line(_lifted(head, pleat), palette.scaled(colour, 0.78), 0.02 * head.scale)
    canvas.face_shade(
        _lifted(head, points((-0.1, 0.3, 0.2), (0.1, 0.3, 0.2), (0.14, 0.6, 0.2), (-0.14, 0.6, 0.2))), 0.16
    )


def _draw_straps(canvas: Canvas, head: Head, side: int, style: FacewearStyle) -> None:
    if style is FacewearStyle.BANDANA or head.facing(side) < -0.3:
        return
    white = (235, 235, 232)
    for y in (0.38, 0.74):
        strap = head.project(points((side * 0.6, y, 0.42), (side * 0.76, 0.18 + 0.2 * (y > 0.5), 0.0)))
        canvas.line(strap, white, 0.03 * head.scale, FaceClass.FACEWEAR)


def _lifted(head: Head, solid: Points) -> Points:
    surface = head.surface(solid[:, :2])
    surface[:, 2] += solid[:, 2]
    return head.project(surface)


def draw_headwear(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    draw = {
        HeadwearStyle.BEANIE: _draw_beanie,
        HeadwearStyle.CAP: _draw_cap,
        HeadwearStyle.HAT: _draw_hat,
        HeadwearStyle.HEADSCARF: _draw_headscarf,
        HeadwearStyle.HELMET: _draw_helmet,
    }.get(head.face.styles.headwear)
    if draw is not None:
        draw(canvas, head, rng)


def _draw_dome(canvas: Canvas, head: Head, *, edge: float, grow: float) -> None:
    dome = np.concatenate([_over_top(head.outline(bottom=edge, grow=grow)), _band_line(head, edge, 0.1)])
    canvas.shape(dome, head.face.colours.headwear, FaceClass.HEADWEAR)
    canvas.face_shade(_band_line(head, edge + 0.12, 0.0), -0.3)


def _over_top(outline: Points) -> Points:
    half = len(outline) // 2
    return np.concatenate([outline[half:], outline[:half]])


def _band_line(head: Head, y: float, lift: float) -> Points:
    """The visible front half of a horizontal ring around the head, from the image's right to its left."""
    width, front, back = (float(value[0]) for value in head.section(np.array([y])))
    yaw = head.face.pose.yaw
    angle = np.linspace(np.pi / 2, -np.pi / 2, 13) - yaw
    x = (width + lift) * np.sin(angle)
    z = (front + back) / 2 + ((front - back) / 2 + lift) * np.cos(angle)
    return head.project(np.column_stack([x, np.full(13, y), z]))


def _draw_beanie(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    edge = rng.uniform(-0.55, -0.36)
    _draw_dome(canvas, head, edge=edge, grow=rng.uniform(0.1, 0.22))
    fold = np.concatenate([_band_line(head, edge, 0.13), _band_line(head, edge - 0.24, 0.14)[::-1]])
    canvas.shape(fold, palette.scaled(head.face.colours.headwear, 0.8), FaceClass.HEADWEAR)
    if rng.uniform() < 0.4:
        pompom = head.project(points((0, CROWN - 0.25, -0.2)))[0]
        canvas.shape(
            pompom + ellipse(0, 0, 0.2 * head.scale, 0.2 * head.scale),
            head.face.colours.headwear_accent,
            FaceClass.HEADWEAR,
        )


def _draw_cap(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    edge = rng.uniform(-0.62, -0.48)
    _draw_dome(canvas, head, edge=edge, grow=0.13)
    seam = head.project(points((0, CROWN - 0.12, -0.2), (0, -0.95, 0.55), (0, edge, 0.78)))
    canvas.line(smooth(seam, closed=False), palette.scaled(head.face.colours.headwear, 0.75), 0.015 * head.scale)
    reach = rng.uniform(0.45, 0.7)
    brim = points(
        (0.62, edge + 0.06, 0.45), (0.6, edge + 0.14, 0.75), (0.3, edge + 0.2, 0.8 + reach),
        (-0.3, edge + 0.2, 0.8 + reach), (-0.6, edge + 0.14, 0.75), (-0.62, edge + 0.06, 0.45), (0, edge - 0.06, 0.85),
    )  # fmt: skip
    canvas.shape(head.project(smooth(brim)), head.face.colours.headwear_accent, FaceClass.HEADWEAR)
    canvas.face_shade(head.on_face(points((-0.6, edge + 0.2), (0.6, edge + 0.2), (0.5, -0.02), (-0.5, -0.02))), -0.35)


def _draw_hat(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    edge, reach = rng.uniform(-0.7, -0.55), rng.uniform(0.4, 0.75)
    angle = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    ring = np.column_stack([(0.78 + reach) * np.sin(angle), np.full(30, edge), -0.18 + (0.9 + reach) * np.cos(angle)])
    ring[:, 1] += 0.16 + 0.1 * np.abs(np.sin(angle)) ** 2 * rng.uniform(-1, 1)
    colour = head.face.colours.headwear
    canvas.shape(head.project(ring), palette.scaled(colour, 0.85), FaceClass.HEADWEAR)
    _draw_dome(canvas, head, edge=edge, grow=0.2)
    band = np.concatenate([_band_line(head, edge, 0.17), _band_line(head, edge - 0.16, 0.19)[::-1]])
    canvas.shape(band, head.face.colours.headwear_accent, FaceClass.HEADWEAR)
    canvas.face_shade(head.on_face(points((-0.7, -0.5), (0.7, -0.5), (0.6, -0.1), (-0.6, -0.1))), -0.35)


def _draw_headscarf(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    """Cloth around the face, over ears and neck; the face's oval stays free."""
    grow = rng.uniform(0.1, 0.2)
    colour = head.face.colours.headwear
    whole = head.outline(grow=grow)
    drape = head.place(points((0.75, 1.5), (0.5, 1.9), (-0.5, 1.9), (-0.75, 1.5)))
    oval = points((0.5, 0.7), (0.66, 0.3), (0.66, -0.1), (0.58, -0.45), (0.3, -0.66), (0, -0.7))
    oval[:, 0] *= head.face.shape.width
    flat = smooth(
        np.concatenate([oval, (oval[:-1] * (-1, 1))[::-1], points((-0.25, 0.98), (0, 1.03), (0.25, 0.98))]), steps=3
    )
    # One polygon with the oval as a hole, entered and left over the same edge at the bottom.
    opening = head.on_face(flat)
    start = int(np.argmax(opening[:, 1]))
    hole = np.roll(opening, -start, axis=0)
    outer = np.concatenate([_over_top(whole), drape])
    bottom = np.argmin(np.linalg.norm(outer - hole[0], axis=1))
    outer = np.roll(outer, -int(bottom), axis=0)
    canvas.shape(np.concatenate([outer, outer[:1], hole, hole[:1]]), colour, FaceClass.HEADWEAR)
    canvas.line(np.concatenate([hole, hole[:1]]), palette.scaled(colour, 0.7), 0.03 * head.scale, FaceClass.HEADWEAR)


def _draw_helmet(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    edge = rng.uniform(-0.55, -0.42)
    _draw_dome(canvas, head, edge=edge, grow=0.26)
    rim = np.concatenate([_band_line(head, edge, 0.27), _band_line(head, edge - 0.1, 0.28)[::-1]])
    canvas.shape(rim, head.face.colours.headwear_accent, FaceClass.HEADWEAR)
    for side in SIDES:
        strap = head.project(points((side * 0.8, edge, 0.1), (side * 0.74, 0.5, 0.1), (0, 1.12, 0.6)))
        canvas.line(strap, (40, 40, 42), 0.04 * head.scale, FaceClass.HEADWEAR)
