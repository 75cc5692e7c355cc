"""The sections of a report, in their order; each is one file."""

from collections.abc import Callable

from cli.report.blocks import Section
from cli.report.sections import (
    classes,
    cost,
    course,
    curves,
    device,
    evolution,
    front,
    full_training,
    headline,
    rejections,
    settings,
    simulated,
    sizes,
)
from db.dossier import Dossier

SECTIONS: tuple[Callable[[Dossier], Section], ...] = (
    headline.section,
    simulated.section,
    front.section,
    evolution.section,
    course.section,
    full_training.section,
    curves.section,
    device.section,
    classes.section,
    sizes.section,
    rejections.section,
    cost.section,
    settings.section,
)
