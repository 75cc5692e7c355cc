"""How the front came to be, candidate by candidate."""

import numpy as np

from cli.report.blocks import Figure, Film, Section
from cli.report.chart import Chart, Dot, Line
from cli.report.naming import axis_label, order
from cli.report.scatter import drawn, shown, staircase, steps_of
from db.dossier import Dossier, Run
from paretofarm.front_course import members_until


def section(dossier: Dossier) -> Section:
    run = dossier.own
    block = film(run) if len(order(run)) > 1 else best_so_far(run)
    return Section("Evolution of the front", "evolution", [block])


def film(run: Run) -> Film:
    """The front after each complete candidate; what is printed is its last picture."""
    objectives = order(run)
    points = np.array([run.points.columns[each.key] for each in objectives], dtype=np.float64).T
    until = members_until(points * np.array([each.sign for each in objectives]))
    indices = drawn(len(points), np.flatnonzero(until).tolist())
    # Whoever was on the front at some time is drawn last, above the others.
    indices.sort(key=lambda index: bool(until[index]))
    before = run.points.total - len(points)
    frames = tuple((before + index + 1, before + int(until[index]) if until[index] else 0) for index in indices)
    two = len(objectives) == 2
    return Film(
        _chart(run, points, until, indices), _caption(run), run.points.total, frames, steps_of(run) if two else ""
    )


def _chart(run: Run, points: np.ndarray, until: np.ndarray, indices: list[int]) -> Chart:
    cost, quality, *others = order(run)
    places = ((index, *points[index, :2].tolist()) for index in indices)
    dots = (Dot(x, y, "front" if until[index] > len(points) else "") for index, x, y in places)
    return Chart(
        x_label=axis_label(cost),
        y_label=axis_label(quality),
        description=f"{axis_label(quality)} against {axis_label(cost)} of the candidates, as they came to be complete",
        dots=tuple(dots),
        lines=() if others else (Line(staircase(run), "front", steps_of(run)),),
    )


def _caption(run: Run) -> str:
    kind = run.search.experiment.algorithm.type
    return (
        f"The candidates of {run.name} ({kind}) in the order in which they were complete, with the front of those that "
        f"were there: play it, or move the slider.{shown(run)}"
    )


def best_so_far(run: Run) -> Figure:
    """Of one objective."""
    (objective,) = order(run)
    values = np.array(run.points.columns[objective.key], dtype=np.float64)
    best = np.minimum.accumulate(values * objective.sign) * objective.sign
    chart = Chart(
        x_label="complete candidates",
        y_label=axis_label(objective),
        description=f"{axis_label(objective)} of the candidates, and the best so far, which ends at {best[-1]:.4g}",
        dots=tuple(Dot(float(index + 1), float(values[index])) for index in drawn(len(values))),
        lines=(Line(tuple(enumerate(best.tolist(), 1)), "own", "post"),),
        legend=(("dot", "candidate"), ("line own", "best so far")),
        whole=True,
    )
    return Figure(chart, f"The best value that {run.name} had found after so many candidates.{shown(run)}")
