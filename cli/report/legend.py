"""Legends name only what is there to be seen."""

from collections.abc import Iterable

from cli.report.chart import Dot

GREY = "; grey: fell off the front"
"""Of captions of tables whose rows are networks."""
WORDS = (("front", "on the front"), ("fallen", "fell off the front"))


def dot_legend(dots: Iterable[Dot]) -> tuple[tuple[str, str], ...]:
    """The picked ones have their names beside them."""
    kinds = {dot.kind for dot in dots}
    return tuple((f"dot {kind}", words) for kind, words in WORDS if kind in kinds)
