"""What networks score on the device, against how long they take there."""

from cli.report.blocks import Block, Figure, Row, Section, Table, Words, row
from cli.report.chart import Chart, Dot
from cli.report.legend import GREY, dot_legend
from cli.report.naming import metric_label, network_name, pick_kinds, pick_names, row_kind, value_text
from cli.words import metric_text
from db.dossier import Dossier, Network
from paretofarm.task import Task

NAMES = {Task.SEGMENTATION: ("device_miou", "device_f1"), Task.CLASSIFICATION: ("device_accuracy", "device_f1")}
"""The first is what networks are judged by."""
LATENCY = "latency_ms"
BARS = (
    "Intervals of scores are over which images happened to be in the test set (bootstrap). Where bars overlap widely, "
    "the order is open; all networks saw the same images, so that differences between them are somewhat surer than the "
    "bars look."
)
NO_BARS = "The scores have no error bars: what each test image contributed was not kept."


def section(dossier: Dossier) -> Section:
    title, anchor = "Accuracy on the device", "device"
    device = dossier.told.front.device
    scored = [each for each in dossier.networks if each.score and LATENCY in each.candidate.metrics]
    if not scored or device is None:
        nothing = "No network was scored on a device: what is told of accuracy here is the training's own, in float32."
        return Section(title, anchor, [Words(nothing)])
    blocks: list[Block] = [Words(_about(scored, device))]
    names = NAMES[dossier.task]
    for name in names:
        shown = [each for each in scored if name in each.candidate.metrics]
        if shown:
            blocks.append(Figure(_chart(dossier, shown, name, device), _caption(shown, name, device)))
    bars = any(name in each.candidate.intervals for each in scored for name in names)
    blocks += [Words(BARS if bars else NO_BARS, note=True), _table(dossier, scored, device)]
    return Section(title, anchor, blocks)


def _about(scored: list[Network], device: str) -> str:
    score = scored[0].score
    assert score is not None
    where = f"{device} (simulated)" if score.simulated else device
    return (
        f"Each network, quantized, went over {score.images} images of the test split on {where}. No training, "
        "validation or calibration has seen them, but they chose among these networks."
    )


def _chart(dossier: Dossier, scored: list[Network], name: str, device: str) -> Chart:
    names, kinds = pick_names(dossier), pick_kinds(dossier)
    dots = tuple(
        Dot(
            each.candidate.metrics[LATENCY],
            each.candidate.metrics[name],
            kinds.get(each.id, "front") if each.on_front else "fallen",
            x_interval=each.candidate.intervals.get(LATENCY),
            y_interval=each.candidate.intervals.get(name),
            label=names.get(each.id),
            tip=f"candidate {each.id}: {value_text(each.candidate, name)} in {value_text(each.candidate, LATENCY)} ms",
        )
        for each in sorted(scored, key=lambda network: network.on_front)
    )
    return Chart(
        x_label=metric_label(LATENCY, device),
        y_label=metric_label(name, device),
        description=f"{name} against latency of {len(scored)} fully trained networks; the table below has the values",
        dots=dots,
        legend=dot_legend(dots),
        half=True,
    )


def _caption(scored: list[Network], name: str, device: str) -> str:
    bars = any(name in each.candidate.intervals for each in scored)
    what = metric_label(name, device)
    both = "both" if bars else "the latency"
    return f"{what[0].upper()}{what[1:]} of the quantized networks; bars are 95 % intervals of {both}."


def _table(dossier: Dossier, scored: list[Network], device: str) -> Table:
    task = dossier.task
    known = [name for name in NAMES[task] if any(name in each.candidate.metrics for each in scored)]
    columns = ("network", "latency_ms", *known, "float32", "lost", "calibration")
    what = f"float32: {metric_label(task.judged_by)} of the same network before it was quantized, on the same images"
    caption = f"On {device}; {what}{GREY}"
    ordered = sorted(scored, key=lambda network: network.candidate.metrics[LATENCY])
    return Table(caption, columns, tuple(_row(dossier, each, known) for each in ordered))


def _row(dossier: Dossier, network: Network, known: list[str]) -> Row:
    candidate, score = network.candidate, network.score
    name = dossier.task.judged_by
    before = score.in_float.get(name) if score else None
    after = candidate.metrics.get(f"device_{name}")
    lost = "-" if before is None or after is None else f"{before - after:+.4f}"
    return row(
        network_name(dossier, network),
        value_text(candidate, LATENCY),
        *(value_text(candidate, each) for each in known),
        metric_text(name, before),
        lost,
        network.calibration.kept if network.calibration else "-",
        kind=row_kind(dossier, network),
    )
