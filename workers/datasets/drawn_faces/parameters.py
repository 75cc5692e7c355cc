"""What one face is made of, before it is drawn. Lengths are in head units: half the height of the head is about 1."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

import numpy as np

from workers.datasets.drawn_faces import palette
from workers.datasets.drawn_faces.palette import Colour

Kind = TypeVar("Kind", bound=Enum)


class HairStyle(Enum):
    BALD = auto()
    RECEDING = auto()
    BUZZ = auto()
    SHORT = auto()
    FRINGE = auto()
    BOB = auto()
    LONG = auto()
    BUN = auto()
    AFRO = auto()


class BeardStyle(Enum):
    NONE = auto()
    MOUSTACHE = auto()
    GOATEE = auto()
    FULL = auto()


class GlassesStyle(Enum):
    NONE = auto()
    CLEAR = auto()
    OPAQUE = auto()


class HeadwearStyle(Enum):
    NONE = auto()
    BEANIE = auto()
    CAP = auto()
    HAT = auto()
    HEADSCARF = auto()
    HELMET = auto()


class FacewearStyle(Enum):
    NONE = auto()
    SURGICAL = auto()
    CLOTH = auto()
    BANDANA = auto()


class ClothingStyle(Enum):
    CREW = auto()
    V_NECK = auto()
    SHIRT = auto()
    TURTLENECK = auto()
    HOODIE = auto()
    TANK = auto()


@dataclass(frozen=True)
class Pose:
    """Angles in radians: positive yaw turns the face to the image's right, positive pitch up. Place in image widths."""

    yaw: float
    pitch: float
    roll: float
    scale: float
    x: float
    y: float


@dataclass(frozen=True)
class Shape:
    """The person's proportions, as factors on the average face."""

    width: float
    jaw: float
    chin: float
    eye_distance: float
    eye_size: float
    eye_tilt: float
    brow_thickness: float
    brow_arch: float
    nose_width: float
    nose_length: float
    mouth_width: float
    lip_thickness: float
    ear_size: float
    neck_width: float


@dataclass(frozen=True)
class Expression:
    """mouth_open 0 to 1; smile -1 to 1; eyes_open 0 (shut) to 1; gaze in eye units; brow_raise in head units."""

    mouth_open: float
    smile: float
    eyes_open: float
    gaze_x: float
    gaze_y: float
    brow_raise: float


@dataclass(frozen=True)
class Colours:
    skin: Colour
    lips: Colour
    hair: Colour
    brows: Colour
    beard: Colour
    iris: Colour
    clothing: Colour
    clothing_accent: Colour
    frame: Colour
    lens: Colour
    headwear: Colour
    headwear_accent: Colour
    facewear: Colour


@dataclass(frozen=True)
class Styles:
    hair: HairStyle
    beard: BeardStyle
    glasses: GlassesStyle
    headwear: HeadwearStyle
    facewear: FacewearStyle
    clothing: ClothingStyle


@dataclass(frozen=True)
class FaceParameters:
    pose: Pose
    shape: Shape
    expression: Expression
    colours: Colours
    styles: Styles


def sample_face(rng: np.random.Generator) -> FaceParameters:
    """A person in a pose. Every style occurs with at least a few per cent, so that all classes do in a small set."""
    styles = _sample_styles(rng)
    return FaceParameters(_sample_pose(rng), _sample_shape(rng), _sample_expression(rng), _sample_colours(rng), styles)


def _sample_pose(rng: np.random.Generator) -> Pose:
    return Pose(
        yaw=float(np.clip(rng.normal(0, 0.3), -0.85, 0.85)),
        pitch=float(np.clip(rng.normal(0, 0.14), -0.4, 0.4)),
        roll=float(np.clip(rng.normal(0, 0.1), -0.4, 0.4)),
        scale=rng.uniform(0.27, 0.37),
        x=0.5 + rng.uniform(-0.05, 0.05),
        y=0.48 + rng.uniform(-0.04, 0.04),
    )


def _sample_shape(rng: np.random.Generator) -> Shape:
    def factor(spread: float) -> float:
        return float(np.clip(rng.normal(1, spread), 1 - 2.5 * spread, 1 + 2.5 * spread))

    return Shape(
        width=factor(0.06),
        jaw=factor(0.09),
        chin=factor(0.04),
        eye_distance=factor(0.05),
        eye_size=factor(0.1),
        eye_tilt=rng.normal(0.012, 0.015),
        brow_thickness=factor(0.22),
        brow_arch=factor(0.3),
        nose_width=factor(0.14),
        nose_length=factor(0.08),
        mouth_width=factor(0.09),
        lip_thickness=factor(0.22),
        ear_size=factor(0.1),
        neck_width=factor(0.1),
    )


def _sample_expression(rng: np.random.Generator) -> Expression:
    return Expression(
        mouth_open=rng.beta(1.2, 2.0) if rng.uniform() < 0.5 else 0.0,
        smile=float(np.clip(rng.normal(0.25, 0.4), -0.7, 1)),
        eyes_open=float(np.clip(rng.normal(0.9, 0.25), 0.12, 1.25)),
        gaze_x=rng.uniform(-0.45, 0.45),
        gaze_y=rng.uniform(-0.25, 0.25),
        brow_raise=rng.normal(0, 0.03),
    )


def _sample_colours(rng: np.random.Generator) -> Colours:
    skin, hair = palette.skin_tone(rng), palette.hair_colour(rng)
    lips = palette.between(palette.tinted(skin, (0.93, 0.68, 0.68)), (190, 30, 50), max(0.0, rng.uniform(-0.6, 0.8)))
    return Colours(
        skin=skin,
        lips=lips,
        hair=hair,
        brows=palette.jittered(palette.between(palette.scaled(hair, 0.8), (40, 30, 26), 0.25), rng, 0.1),
        beard=palette.jittered(palette.scaled(hair, 0.92), rng, 0.1),
        iris=palette.jittered(palette.IRIS_COLOURS[rng.integers(len(palette.IRIS_COLOURS))], rng, 0.15),
        clothing=palette.any_colour(rng, saturation=(0.0, 0.8), value=(0.12, 0.95)),
        clothing_accent=palette.any_colour(rng, saturation=(0.0, 0.8), value=(0.12, 0.95)),
        frame=palette.any_colour(rng, saturation=(0.0, 0.7), value=(0.05, 0.55)),
        lens=palette.any_colour(rng, saturation=(0.0, 0.6), value=(0.06, 0.3)),
        headwear=palette.any_colour(rng, saturation=(0.0, 0.85), value=(0.12, 0.95)),
        headwear_accent=palette.any_colour(rng, saturation=(0.0, 0.85), value=(0.12, 0.95)),
        facewear=palette.any_colour(rng, saturation=(0.0, 0.6), value=(0.2, 0.97)),
    )


def _sample_styles(rng: np.random.Generator) -> Styles:
    hair = _one_of(rng, HairStyle, (6, 6, 10, 22, 14, 12, 18, 6, 6))
    headwear = _one_of(rng, HeadwearStyle, (78, 5, 5, 4, 5, 3))
    return Styles(
        # A headscarf covers the hair.
        hair=hair if headwear is not HeadwearStyle.HEADSCARF else HairStyle.RECEDING,
        headwear=headwear,
        beard=_one_of(rng, BeardStyle, (74, 6, 7, 13)),
        glasses=_one_of(rng, GlassesStyle, (74, 13, 13)),
        facewear=_one_of(rng, FacewearStyle, (88, 5, 4, 3)),
        clothing=_one_of(rng, ClothingStyle, (25, 18, 20, 12, 15, 10)),
    )


def _one_of(rng: np.random.Generator, kinds: type[Kind], weights: tuple[int, ...]) -> Kind:
    return list(kinds)[rng.choice(len(weights), p=np.array(weights) / sum(weights))]
