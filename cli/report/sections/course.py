"""How much better the front became, beside random search."""

from cli.report.blocks import Block, Figure, Section, Words
from cli.report.chart import Chart, Line
from cli.report.naming import listed
from db.dossier import Dossier
from db.hypervolume import Curve, Step
from paretofarm.hypervolume_course import FIRST

HOUR_S, MINUTE_S = 3600.0, 60.0
Y_LABEL = f"hypervolume (first {FIRST} = 1)"
WHAT = (
    "The hypervolume is the room between the front and a corner that never moves: the worst values among the first "
    f"{FIRST} candidates. It only grows, and is given as a multiple of what these first ones had."
)


def section(dossier: Dossier) -> Section:
    title, anchor = "Hypervolume, beside random search", "hypervolume"
    own, controls = dossier.course.own, dossier.course.controls
    if own is None:
        few = f"It can be told from {FIRST} complete candidates on that differ in two objectives; there are none yet."
        return Section(title, anchor, [Words(few)])
    blocks: list[Block] = [Words(_comparison(own, controls)), _figure(own, controls, None)]
    if own.train_s > 0:
        blocks.append(_figure(own, controls, HOUR_S if own.train_s >= HOUR_S else MINUTE_S))
    return Section(title, anchor, [*blocks, Words(WHAT, note=True)])


def _comparison(own: Curve, controls: tuple[Curve, ...]) -> str:
    if not controls:
        return (
            "Nobody searched at random beside it (control: random does), so that it cannot be said what its algorithm "
            "was worth."
        )
    if own.algorithm == "random":
        return f"The search is random itself; beside it {listed(each.search for each in controls)}."
    return " ".join(_against(own, control) for control in controls)


def _against(own: Curve, control: Curve) -> str:
    """After as many candidates as both have."""
    count = min(own.evaluations, control.evaluations)
    mine, its = _at(own, count), _at(control, count)
    verdict = "ahead of" if mine > its else "behind" if mine < its else "level with"
    return (
        f"After {count} candidates {own.search} ({own.algorithm}) stands at {mine:.2f}, {verdict} random search "
        f"({control.search}) at {its:.2f}. One run of each is no proof: with other seeds it may come out otherwise."
    )


def _at(curve: Curve, count: int) -> float:
    return max((step.value for step in curve.steps if step.evaluations <= count), default=0.0)


def _figure(own: Curve, controls: tuple[Curve, ...], unit_s: float | None) -> Figure:
    """unit_s: against training, in this unit; None: against candidates."""
    cost = {None: "complete candidates", HOUR_S: "hours of training", MINUTE_S: "minutes of training"}[unit_s]
    lines = (*(_line(each, "control", unit_s) for each in controls), _line(own, "own", unit_s))
    ends = ", ".join(f"{each.search} {each.steps[-1].value:.2f}" for each in (own, *controls) if each.steps)
    chart = Chart(
        x_label=cost,
        y_label=Y_LABEL,
        description=f"Hypervolume of the front against {cost}; in the end: {ends}",
        lines=lines,
        legend=(("line own", f"{own.search} ({own.algorithm})"), *(("line control", each.search) for each in controls)),
        from_zero=True,
        whole=unit_s is None,
        half=True,
    )
    return Figure(chart, f"How the front grew, against {cost}.")


def _line(curve: Curve, kind: str, unit_s: float | None) -> Line:
    points = [(_cost(step, unit_s), step.value) for step in curve.steps]
    last = curve.train_s / unit_s if unit_s else float(curve.evaluations)
    end = [(last, points[-1][1])] if points else []
    start = [(points[0][0], 0.0)] if points else []
    return Line((*start, *points, *end), kind, "post")


def _cost(step: Step, unit_s: float | None) -> float:
    return step.train_s / unit_s if unit_s else float(step.evaluations)
