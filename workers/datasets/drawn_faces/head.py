"""The head as a body with elliptic cross-sections, seen from the front of the image plane.

Head coordinates: x to the image's right (the person's left), y down from the eye line, z towards the viewer. The crown
is at y = -1.07, the chin at about +1.07. Image coordinates: 0 to 1 from the top left corner.
"""

import numpy as np

from workers.datasets.drawn_faces.curves import Points, points, smooth
from workers.datasets.drawn_faces.parameters import FaceParameters

# One row a cross-section: height, half-width, front and back of the skull.
SECTIONS = points(
    (-1.09, 0.02, -0.14, -0.20),
    (-1.03, 0.33, 0.17, -0.60),
    (-0.82, 0.60, 0.47, -0.92),
    (-0.50, 0.74, 0.66, -1.06),
    (-0.20, 0.78, 0.71, -1.08),
    (0.10, 0.76, 0.69, -1.02),
    (0.40, 0.70, 0.70, -0.84),
    (0.66, 0.59, 0.72, -0.42),
    (0.86, 0.44, 0.72, 0.02),
    (1.00, 0.26, 0.70, 0.28),
    (1.07, 0.03, 0.62, 0.52),
)
CROWN, CHIN = -1.09, 1.07


class Head:
    """Projects points of one person's head, in one pose, into the image."""

    def __init__(self, face: FaceParameters) -> None:
        self.face = face
        self.sections = _personal_sections(face)
        self._rotation = _rotation(face.pose.yaw, face.pose.pitch)
        cos, sin = np.cos(face.pose.roll), np.sin(face.pose.roll)
        self._plane = face.pose.scale * np.array([[cos, sin], [-sin, cos]])
        self._origin = np.array([face.pose.x, face.pose.y])

    @property
    def scale(self) -> float:
        """Image widths per head unit."""
        return self.face.pose.scale

    def project(self, head_points: Points) -> Points:
        """[N, 3] in head coordinates to [N, 2] in the image."""
        return self.place((head_points @ self._rotation.T)[:, :2])

    def place(self, flat: Points) -> Points:
        """[N, 2] that are turned already (head units in the image plane) to the image: only roll, scale and shift."""
        placed: Points = flat @ self._plane + self._origin
        return placed

    def on_face(self, flat: Points, *, lift: float = 0.0) -> Points:
        """[N, 2] of the frontal view to the image, lying on the skin or `lift` in front of it."""
        return self.project(self.surface(flat, lift=lift))

    def surface(self, flat: Points, *, lift: float = 0.0) -> Points:
        """[N, 3]: the frontal view's points on the front of the head."""
        width, front, back = self.section(flat[:, 1])
        share = np.clip(np.abs(flat[:, 0]) / np.maximum(width, 0.05), 0, 0.995)
        depth = (front + back) / 2 + (front - back) / 2 * np.sqrt(1 - share**2)
        return np.column_stack([flat, depth + lift])

    def section(self, y: Points) -> tuple[Points, Points, Points]:
        """Half-width, front and back at each height."""
        heights = self.sections[:, 0]
        width, front, back = (np.interp(y, heights, self.sections[:, column]) for column in (1, 2, 3))
        return width, front, back

    def outline(self, *, top: float = CROWN, bottom: float = CHIN, grow: float = 0.0) -> Points:
        """The head's silhouette in the image between two heights: down the right side, up the left one.

        `grow` (head units) moves it outwards, for hair and headwear.
        """
        heights = self.sections[:, 0]
        inside = heights[(heights > top) & (heights < bottom)]
        y = np.concatenate([[top], inside, [bottom]])
        right, left = (smooth(self._contour(y, side, grow), closed=False, steps=4) for side in (1, -1))
        return self.place(np.concatenate([right, left[::-1]]))

    def on_visible_face(self, flat: Points) -> Points:
        """Like `on_face`, but what lies beyond the head's edge, on its far side, moves to the edge."""
        turned = (self.surface(flat) @ self._rotation.T)[:, :2]
        left, right = (self._contour(flat[:, 1], side, 0.0)[:, 0] for side in (-1, 1))
        turned[:, 0] = np.clip(turned[:, 0], left, right)
        return self.place(turned)

    def facing(self, side: int) -> float:
        """How much a side of the head is turned to the viewer: -1 to 1, positive where it is seen."""
        return -side * float(np.sin(self.face.pose.yaw))

    def _contour(self, y: Points, side: int, grow: float) -> Points:
        width, front, back = self.section(y)
        yaw, pitch = self.face.pose.yaw, self.face.pose.pitch
        middle, depth = (front + back) / 2, (front - back) / 2
        half = np.hypot(width * np.cos(yaw), depth * np.sin(yaw))
        x = middle * np.sin(yaw) + side * (half + grow)
        above = np.clip((-0.25 - y) / 0.84, 0, 1)
        return np.column_stack([x, y * np.cos(pitch) - middle * np.cos(yaw) * np.sin(pitch) - grow * above])


def _personal_sections(face: FaceParameters) -> Points:
    sections = SECTIONS.copy()
    low = np.clip((sections[:, 0] - 0.1) / 0.6, 0, 1)
    sections[:, 1] *= face.shape.width * (1 + (face.shape.jaw - 1) * low)
    # An opening mouth takes the chin along.
    drop = (face.shape.chin - 1) + 0.09 * face.expression.mouth_open
    sections[:, 0] += drop * np.clip((sections[:, 0] - 0.4) / 0.6, 0, 1)
    return sections


def _rotation(yaw: float, pitch: float) -> Points:
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    both: Points = nod @ turn
    return both
