"""Images of the test split, and what three networks make of them."""

import base64
import colorsys
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image

from cli.report.blocks import Answer, Block, Picture, Pictures, Section, Words
from cli.report.naming import pick_name
from cli.report.samples import Mask, Sample, Samples
from cli.words import count_text
from db.dossier import Dossier
from paretofarm.task import Task

AFTER = "device"
"""Anchor of the section that this one comes after."""
BACKGROUND, IGNORED = (29, 39, 51), (150, 150, 150)
GOLDEN = 0.61803398875
"""Hues that far apart never come close to each other."""
LARGEST = 256
"""Pixels of a side that are kept of an image."""


def section(dossier: Dossier, samples: Samples | str) -> Section:
    title, anchor = "Sample images", "pictures"
    if isinstance(samples, str):
        return Section(title, anchor, [Words(samples)])
    names = [pick_name(dossier.told, pick) for pick in dossier.picks]
    if samples.task is Task.CLASSIFICATION:
        answers = tuple(_answers(dossier, sample, samples.class_names) for sample in samples.samples)
        return Section(title, anchor, [Words(_about(samples)), Pictures(("image", "label", *names), answers, ())])
    colours = class_colours(len(samples.class_names))
    rows = tuple(_row(dossier, sample, samples, colours) for sample in samples.samples)
    blocks: list[Block] = [Words(_about(samples))]
    coloured = zip(samples.class_names, colours, strict=True)
    key = tuple((name, "#{:02x}{:02x}{:02x}".format(*colour)) for name, colour in coloured)
    return Section(title, anchor, [*blocks, Pictures(("image", "labels", *names), rows, key)])


def class_colours(count: int) -> list[tuple[int, int, int]]:
    """The first is dark: the background in all data sets that we know. The others differ in hue and lightness."""
    hues = [(index * GOLDEN) % 1.0 for index in range(count)]
    bright = [colorsys.hsv_to_rgb(hue, (0.75, 0.5)[i % 2], (0.95, 0.8)[i // 2 % 2]) for i, hue in enumerate(hues)]
    return [BACKGROUND, *((round(255 * r), round(255 * g), round(255 * b)) for r, g, b in bright[1:])][:count]


def _about(samples: Samples) -> str:
    which = "quantized to int8" if samples.quantized else "in float32"
    return (
        f"{count_text(len(samples.samples), 'image')} of {samples.of} of the test split, chosen evenly and not by how "
        f"they turned out, with what the networks make of them, {which} and run by onnxruntime on the computer that "
        "wrote this."
    )


def _row(
    dossier: Dossier, sample: Sample, samples: Samples, colours: list[tuple[int, int, int]]
) -> tuple[Picture, ...]:
    found = [
        Picture(_photograph(sample), "an image of the test split"),
        Picture(_painted(sample.truth, colours), "its labels, by colour"),
    ]
    for pick in dossier.picks:
        mask = sample.predictions[pick]
        counted = sample.truth != samples.ignore_index
        right = f"{(mask == sample.truth)[counted].mean():.0%} right" if counted.any() else ""
        what = f"what {pick_name(dossier.told, pick)} makes of it, {right}"
        found.append(Picture(_painted(mask, colours), what, right))
    return tuple(found)


def _answers(dossier: Dossier, sample: Sample, class_names: Sequence[str]) -> tuple[Picture | Answer, ...]:
    """What each network takes the image for."""
    truth = int(sample.truth.item())
    said = [int(sample.predictions[pick].item()) for pick in dossier.picks]
    return (
        Picture(_photograph(sample), f"an image of the test split, {class_names[truth]}"),
        Answer(class_names[truth]),
        *(Answer(class_names[index], right=index == truth) for index in said),
    )


def _photograph(sample: Sample) -> str:
    return _png(Image.fromarray(np.ascontiguousarray(sample.image.transpose(1, 2, 0))))


def _painted(mask: Mask, colours: list[tuple[int, int, int]]) -> str:
    """Grey levels that become places in a palette: `convert` to it would look for the nearest colours."""
    palette = np.full((256, 3), IGNORED, np.uint8)
    palette[: len(colours)] = colours
    painted = Image.fromarray(mask)
    painted.putpalette(palette.tobytes())
    return _png(painted)


def _png(image: Image.Image) -> str:
    """As a data: address."""
    image.thumbnail((LARGEST, LARGEST), Image.Resampling.NEAREST)
    buffer = BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
