"""All candidates of a search as dots: the last of them, or evenly chosen ones, where there are very many."""

from collections.abc import Collection, Iterator, Sequence

from cli.report.chart import Dot, Point
from cli.report.naming import order
from cli.words import metric_text
from db.dossier import Run
from db.plot_points import PlotPoints
from paretofarm.apart import apart
from paretofarm.metrics import Goal

MOST = 2000
"""Dots that a page draws with ease, and that can still be told apart."""


def drawn(count: int, always: Collection[int] = ()) -> list[int]:
    """Indices of those that are drawn, ascending. always: indices that are not left out."""
    if count <= MOST:
        return list(range(count))
    return sorted({*apart(count, MOST).tolist(), *always})


def candidate_dots(run: Run, *, without: Collection[int]) -> Iterator[Dot]:
    """without: ids of candidates that are drawn apart."""
    x, y, *_ = order(run)
    left_out = set(without)
    columns = run.points.columns
    for index in drawn(len(columns["id"])):
        if columns["id"][index] not in left_out:
            values = {each.name: columns[each.key][index] for each in (x, y)}
            yield Dot(
                values[x.name],
                values[y.name],
                "noisy" if columns["noisy"][index] else "",
                tip=f"candidate {columns['id'][index]}: "
                + ", ".join(metric_text(name, value) for name, value in values.items()),
            )


def staircase(run: Run) -> tuple[Point, ...]:
    """The front's members from left to right."""
    x, y, *_ = order(run)
    return tuple(sorted((member.metrics[x.name], member.metrics[y.name]) for member in run.front.members))


def steps_of(run: Run) -> str:
    """What can be had at most for a given x."""
    return "post" if order(run)[0].goal is Goal.MINIMIZE else "pre"


def shown(run: Run) -> str:
    """How many dots stand for how many candidates, where these are not the same."""
    return _shown(run.points)


def _shown(points: PlotPoints) -> str:
    count = len(points.columns["id"])
    if points.total > count:
        return f" Of {points.total:,} candidates the last {count:,} are looked at, and evenly chosen ones drawn."
    return f" Of {count:,} candidates {MOST:,} evenly chosen ones are drawn." if count > MOST else ""


def values_of(points: PlotPoints, indices: Sequence[int], key: str) -> list[float]:
    return [float(points.columns[key][index]) for index in indices]
