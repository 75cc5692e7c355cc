"""How networks learned, epoch by epoch."""

from cli.report.blocks import Figure, Section, Words
from cli.report.chart import Chart, Line
from cli.report.naming import metric_label, pick_kinds, pick_names
from cli.report.sections.full_training import trained_metric
from cli.words import count_text
from db.dossier import Dossier, Network


def section(dossier: Dossier) -> Section:
    title = "Full-training curves" if dossier.final else "Training curves"
    metric = trained_metric(dossier.told)
    learned = [each for each in dossier.networks if metric and len(each.curves.get(metric, ())) > 1]
    if metric is None or not learned:
        return Section(title, "curves", [Words("No training took more than one epoch: there is no curve to draw.")])
    return Section(title, "curves", [Figure(_chart(dossier, learned, metric), _caption(dossier, learned, metric))])


def _chart(dossier: Dossier, learned: list[Network], metric: str) -> Chart:
    names, kinds = pick_names(dossier), pick_kinds(dossier)
    lines = tuple(
        Line(
            tuple(enumerate(map(float, each.curves[metric]), 1)),
            kinds.get(each.id, "front-faint") if each.on_front else "fallen",
            label=names.get(each.id),
        )
        for each in sorted(learned, key=lambda network: (network.id in names, network.on_front))
    )
    ends = ", ".join(f"{names[each.id]} {each.curves[metric][-1]:.3f}" for each in learned if each.id in names)
    return Chart(
        x_label="epoch",
        y_label=f"{metric_label(metric)}, validation images",
        description=f"{metric} after each epoch of {count_text(len(learned), 'network')}; at the end: {ends}",
        lines=lines,
        whole=True,
        legend=(
            *((f"line {kinds[each.id]}", f"{names[each.id]} ({each.id})") for each in learned if each.id in names),
            *((("line fallen", "fell off the front"),) if any(not each.on_front for each in learned) else ()),
        ),
    )


def _caption(dossier: Dossier, learned: list[Network], metric: str) -> str:
    rising = sum(each.curves[metric][-1] >= max(each.curves[metric]) for each in learned)
    still = (
        f" {rising} of {len(learned)} ended at their best: more epochs might still help."
        if rising
        else " All had their best epoch before the end: more epochs would hardly help."
    )
    return f"Each line is a network of {dossier.told.name}.{still}"
