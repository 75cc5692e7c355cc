"""Colour, labels and relief of one picture, drawn together at a multiple of its size."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from workers.datasets.drawn_faces.curves import Points
from workers.datasets.drawn_faces.palette import Colour
from workers.datasets.face_classes import FaceClass

NEUTRAL = 128


class Canvas:
    """Takes shapes in image coordinates (0 to 1), in painter's order. A shape without a label keeps what is below.

    Relief is a soft grey map per body part: below neutral is shadow, above is shine. It is blurred and applied when the
    light is computed, so that a chin can throw a shadow on the neck and not on itself.
    """

    def __init__(self, size: int, factor: int) -> None:
        self.size = size
        self.side = size * factor
        self.colour = Image.new("RGB", (self.side, self.side))
        self.labels = Image.new("L", (self.side, self.side))
        self.face_relief = Image.new("L", (self.side // 2, self.side // 2), NEUTRAL)
        self.body_relief = Image.new("L", (self.side // 2, self.side // 2), NEUTRAL)
        self._start_drawing()

    def _start_drawing(self) -> None:
        self._colour = ImageDraw.Draw(self.colour, "RGBA")
        self._labels = ImageDraw.Draw(self.labels)
        self._face_relief = ImageDraw.Draw(self.face_relief)
        self._body_relief = ImageDraw.Draw(self.body_relief)

    def background(self, image: Image.Image) -> None:
        self.colour.paste(image)

    def shape(self, outline: Points, colour: Colour, label: FaceClass | None = None, *, alpha: float = 1.0) -> None:
        corners = (outline * self.side).ravel().tolist()
        self._colour.polygon(corners, fill=(*_rounded(colour), round(255 * alpha)))
        if label is not None:
            self._labels.polygon(corners, fill=int(label))

    def line(
        self, path: Points, colour: Colour, width: float, label: FaceClass | None = None, *, alpha: float = 1.0
    ) -> None:
        """`width` in image widths."""
        corners = (path * self.side).ravel().tolist()
        thickness = max(1, round(width * self.side))
        self._colour.line(corners, fill=(*_rounded(colour), round(255 * alpha)), width=thickness, joint="curve")
        if label is not None:
            self._labels.line(corners, fill=int(label), width=thickness, joint="curve")

    def face_shade(self, outline: Points, amount: float) -> None:
        """Darkens (negative) or brightens (positive, up to 1) the head inside the outline."""
        self._face_relief.polygon((outline * (self.side // 2)).ravel().tolist(), fill=_grey(amount))

    def body_shade(self, outline: Points, amount: float) -> None:
        """The same for neck, clothing and the hair behind."""
        self._body_relief.polygon((outline * (self.side // 2)).ravel().tolist(), fill=_grey(amount))

    def relief(self, radius: float) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Blurred factors on the light [side, side] for head and body; `radius` in image widths."""
        blur = ImageFilter.BoxBlur(radius * self.side / 2)
        return self._factor(self.face_relief, blur), self._factor(self.body_relief, blur)

    def _factor(self, relief: Image.Image, blur: ImageFilter.BoxBlur) -> npt.NDArray[np.float32]:
        soft = relief.filter(blur).resize((self.side, self.side), Image.Resampling.BILINEAR)
        return np.asarray(soft, dtype=np.float32) / np.float32(NEUTRAL)


def _rounded(colour: Colour) -> tuple[int, int, int]:
    r, g, b = (max(0, min(255, round(value))) for value in colour)
    return r, g, b


def _grey(amount: float) -> int:
    return max(0, min(255, round(NEUTRAL * (1 + amount))))
