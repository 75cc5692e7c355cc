"""The report as one HTML file, which asks nothing of any network: style, script and pictures are in it."""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cli.report.blocks import Section
from cli.report.chart import Chart, Size, draw
from cli.report.samples import Samples
from cli.report.sections import SECTIONS, pictures
from db.dossier import Dossier

FOLDER = Path(__file__).parent / "template"


def render(dossier: Dossier, samples: Samples | str) -> str:
    """samples: pictures of the test split, or the sentence why there are none."""
    script = (FOLDER / "film.js").read_text(encoding="utf-8")
    return _environment().get_template("report.html").render(
        title=f"{dossier.own.name}: report of a search",
        name=dossier.own.name,
        at=f"{dossier.at:%Y-%m-%d %H:%M} UTC",
        simulated=any(network.candidate.simulated for network in dossier.networks),
        sections=_sections(dossier, samples),
        draw=_drawn,
        style=Markup((FOLDER / "report.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=_hash_of(script),
    )  # fmt: skip


def _sections(dossier: Dossier, samples: Samples | str) -> list[Section]:
    found = [make(dossier) for make in SECTIONS]
    after = next(index for index, section in enumerate(found) if section.anchor == pictures.AFTER)
    return [*found[: after + 1], pictures.section(dossier, samples), *found[after + 1 :]]


def _drawn(chart: Chart, size: Size) -> Markup:
    """Escaped by whoever drew it."""
    return Markup(draw(chart, size))


def _hash_of(script: str) -> str:
    """The only script that the page's own policy lets run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
