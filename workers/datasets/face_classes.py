"""The 19 classes of FaceSynthetics. Right and left are the person's own; see Wood et al., arXiv 2109.15102."""

from enum import IntEnum


class FaceClass(IntEnum):
    """Class ids as they are stored in `NNNNNN_seg.png`; 255 there means: ignore."""

    BACKGROUND = 0
    SKIN = 1
    NOSE = 2
    RIGHT_EYE = 3
    LEFT_EYE = 4
    RIGHT_BROW = 5
    LEFT_BROW = 6
    RIGHT_EAR = 7
    LEFT_EAR = 8
    MOUTH_INTERIOR = 9
    TOP_LIP = 10
    BOTTOM_LIP = 11
    NECK = 12
    HAIR = 13
    BEARD = 14
    CLOTHING = 15
    GLASSES = 16
    HEADWEAR = 17
    FACEWEAR = 18


FACE_CLASS_NAMES = tuple(member.name.lower() for member in FaceClass)
