"""The front that the search found."""

from collections.abc import Sequence

from cli.report.blocks import Block, Figure, Row, Section, Table, Words, row
from cli.report.chart import Chart, Dot, Line
from cli.report.naming import axis_label, order, pick_kinds, pick_names, value_text
from cli.report.scatter import candidate_dots, shown, staircase, steps_of
from cli.words import count_text, heading, metric_text
from db.dossier import Dossier, Run
from db.reported import ReportedCandidate

MOST_ROWS = 60
USUAL = ("parameters", "macs", "network_bytes")


def section(dossier: Dossier) -> Section:
    run = dossier.own
    blocks: list[Block] = []
    if len(order(run)) > 1:
        blocks.append(Figure(_chart(dossier), _caption(run)))
    else:
        blocks.append(Words("The search has one objective, so that its front is its best candidate."))
    blocks.append(_table(dossier))
    return Section("The front", "front", blocks)


def _chart(dossier: Dossier) -> Chart:
    run = dossier.own
    x, y, *_ = order(run)
    members = run.front.members
    dots = (*candidate_dots(run, without=[member.id for member in members]), *_members(dossier))
    return Chart(
        x_label=axis_label(x),
        y_label=axis_label(y),
        description=f"{axis_label(y)} against {axis_label(x)} of all complete candidates, "
        f"{count_text(len(members), 'member')} of the front marked; the table below has their values.",
        dots=dots,
        lines=(Line(staircase(run), "front", steps_of(run)),) if len(order(run)) == 2 else (),
        legend=(("dot", "candidate"), ("dot front", "on the front"), *_noisy_legend(run)),
    )


def _members(dossier: Dossier) -> tuple[Dot, ...]:
    run = dossier.own
    x, y, *_ = order(run)
    names = pick_names(dossier) if dossier.final is None else {}
    return tuple(
        Dot(
            member.metrics[x.name],
            member.metrics[y.name],
            "front noisy" if member.noisy else "front",
            x_interval=member.intervals.get(x.name),
            y_interval=member.intervals.get(y.name),
            label=names.get(member.id),
            tip=f"candidate {member.id}: {value_text(member, x.name)}, {value_text(member, y.name)}",
        )
        for member in run.front.members
    )


def _noisy_legend(run: Run) -> tuple[tuple[str, str], ...]:
    noisy = any(member.noisy for member in run.front.members) or any(run.points.columns["noisy"])
    return (("dot noisy", "noisy measurement"),) if noisy else ()


def _caption(run: Run) -> str:
    bars = any(member.intervals for member in run.front.members)
    more = " Bars are 95 % confidence intervals of the latency." if bars else ""
    third = "" if len(order(run)) < 3 else f" The third objective, {axis_label(order(run)[2])}, is in the table."
    front = "Each dot is a network as the search judged it; on the front nothing gets better without something else "
    return f"{front}getting worse.{more}{third}{shown(run)}"


def _table(dossier: Dossier) -> Table:
    run = dossier.own
    names = [each.name for each in order(run)]
    names += [name for name in USUAL if name not in names and _known(run.front.members, name)]
    rows = [_row(dossier, member, names) for member in run.front.members[:MOST_ROWS]]
    left_out = len(run.front.members) - len(rows)
    more = f"; {left_out} more: paretofarm front {run.name}" if left_out else ""
    caption = f"The front of {run.name}, as the search judged it: values with 95 % intervals where there are any{more}"
    return Table(caption, ("candidate", *(heading(name) for name in names)), tuple(rows))


def _known(members: Sequence[ReportedCandidate], name: str) -> bool:
    return any(name in member.metrics for member in members)


def _row(dossier: Dossier, member: ReportedCandidate, names: Sequence[str]) -> Row:
    kind = pick_kinds(dossier).get(member.id, "") if dossier.final is None else ""
    cells = [
        value_text(member, name) if name not in USUAL else metric_text(name, member.metrics.get(name)) for name in names
    ]
    return row(f"{member.id}{' (noisy)' if member.noisy else ''}", *cells, kind=kind)
