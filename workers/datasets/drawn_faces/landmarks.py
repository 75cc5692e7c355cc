"""The 70 landmarks of a drawn face: the 68 points of iBUG in their order, then the right and the left pupil."""

import numpy as np

from workers.datasets.drawn_faces.curves import Points, points
from workers.datasets.drawn_faces.features import (
    brow_line,
    eye_lids,
    eye_position,
    iris_centre,
    mouth_curves,
    mouth_x,
)
from workers.datasets.drawn_faces.head import Head


def face_landmarks(head: Head) -> Points:
    """[70, 2] in image widths. "Right" is the person's; iBUG counts from the image's left."""
    parts = [
        _jaw(head),
        head.on_face(brow_line(head, np.linspace(1, 0, 5), -1), lift=0.02),
        head.on_face(brow_line(head, np.linspace(0, 1, 5), 1), lift=0.02),
        _nose(head),
        _eye(head, -1),
        _eye(head, 1),
        _mouth(head),
        head.on_face(iris_centre(head, -1)),
        head.on_face(iris_centre(head, 1)),
    ]
    return np.concatenate(parts)


def _jaw(head: Head) -> Points:
    """17 points along the silhouette from ear to ear over the chin."""
    outline = head.outline(top=0.0)
    down_left = outline[len(outline) // 2 :][::-1]
    whole = np.concatenate([down_left, outline[: len(outline) // 2][::-1]])
    jaw: Points = whole[np.linspace(0, len(whole) - 1, 17).round().astype(int)]
    return jaw


def _nose(head: Head) -> Points:
    wide, long = head.face.shape.nose_width, head.face.shape.nose_length
    bridge = points((0, 0.0, 0.04), (0, 0.14, 0.09), (0, 0.28, 0.14), (0, 0.42, 0.2))
    base = points((-0.13, 0.48, 0.03), (-0.07, 0.51, 0.08), (0, 0.525, 0.13), (0.07, 0.51, 0.08), (0.13, 0.48, 0.03))
    solid = np.concatenate([bridge, base]) * (wide, long, 1)
    surface = head.surface(solid[:, :2])
    surface[:, 2] += solid[:, 2]
    return head.project(surface)


def _eye(head: Head, side: int) -> Points:
    """Six points: the corner at the image's left, two on the upper lid, the other corner, two on the lower lid back."""
    across = np.array([-1, -0.35, 0.35, 1, 0.35, -0.35]) * side
    upper, lower = eye_lids(head, across)
    y = np.where(np.arange(6) < 4, upper, lower)
    return head.on_face(np.column_stack([eye_position(head, across, side), y]))


def _mouth(head: Head) -> Points:
    """Twelve points around the lips, eight around the mouth's opening, both clockwise from the image's left corner."""
    outer, inner = np.array([-1, -0.6, -0.2, 0, 0.2, 0.6, 1]), np.array([-0.85, -0.35, 0, 0.35, 0.85])
    top, bottom = mouth_curves(head, outer)[0], mouth_curves(head, outer)[3]
    upper, lower = mouth_curves(head, inner)[1:3]
    rows = [
        np.column_stack([mouth_x(head, outer), top]),
        np.column_stack([mouth_x(head, outer), bottom])[-2:0:-1],
        np.column_stack([mouth_x(head, inner), upper]),
        np.column_stack([mouth_x(head, inner), lower])[-2:0:-1],
    ]
    return head.on_face(np.concatenate(rows), lift=0.03)
