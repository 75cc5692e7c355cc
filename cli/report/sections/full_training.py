"""What the search judged by, against what became of it: did the short training put the right networks first?"""

from cli.report.blocks import Block, Figure, Row, Section, Table, Words, row
from cli.report.chart import Chart, Dot
from cli.report.legend import GREY, dot_legend
from cli.report.naming import listed, metric_label, network_name, pick_kinds, pick_names, row_kind
from cli.words import count_text, metric_text
from db.dossier import Dossier, Network, Run
from paretofarm.metrics import trained_counterpart
from paretofarm.rank_correlation import kendall, spearman

ENOUGH = 3
"""Below, a rank correlation says nothing."""
FEW = 10


def section(dossier: Dossier) -> Section:
    title, anchor = "Short training against full training", "full-training"
    final = dossier.final
    if final is None:
        return Section(title, anchor, [Words(_nothing(dossier.own))])
    metric = trained_metric(final)
    pairs = [each for each in dossier.networks if _partial(each, metric) is not None]
    blocks: list[Block] = [Words(_fallen(final, dossier.networks))]
    if metric is None or not pairs:
        blocks.append(Words("The search itself trained nothing that this could be compared with."))
        return Section(title, anchor, blocks)
    blocks.append(Words(_correlation(pairs, metric)))
    blocks += [Figure(_chart(dossier, pairs, metric), _caption(dossier)), _table(dossier, pairs, metric)]
    if dossier.other_finals:
        others = f"It was finished more than once; not told of here: {listed(dossier.other_finals)}."
        blocks.append(Words(others, note=True))
    return Section(title, anchor, blocks)


def _nothing(own: Run) -> str:
    if own.search.experiment.is_tabular:
        return f"{own.name} looked networks up in a table: there is nothing to train to the end."
    return f"{own.name} has not been finished: paretofarm finish {own.name} trains its best to the end."


def trained_metric(run: Run) -> str | None:
    """What a training's own validation tells, of the first objective that is about accuracy."""
    return next((trained_counterpart(each.name) for each in run.front.objectives if each.metric.trained), None)


def _partial(network: Network, metric: str | None) -> float | None:
    if metric is None or network.partial is None or metric not in network.candidate.metrics:
        return None
    return network.partial.metrics.get(metric)


def _fallen(final: Run, networks: tuple[Network, ...]) -> str:
    """Who is still on the front, and what became of the others."""
    fallen = [network for network in networks if not network.on_front]
    others = sum(final.counts.values()) - len(networks)
    stayed = f"{count_text(len(networks) - len(fallen), 'network')} stayed on the front"
    went = f"{count_text(len(fallen), 'other')} fell off it: another one is now at least as good in everything"
    lost = f" {others} more did not come to their end." if others else ""
    return f"{stayed}; {went if fallen else 'nobody fell off it'}.{lost}"


def _correlation(pairs: list[Network], metric: str) -> str:
    before = [_partial(each, metric) or 0.0 for each in pairs]
    after = [each.candidate.metrics[metric] for each in pairs]
    rose = sum(later > earlier for earlier, later in zip(before, after, strict=True))
    gain = f"{metric} rose for {rose} of {len(pairs)}"
    if len(pairs) < ENOUGH:
        return f"{gain}. For a rank correlation there are too few networks."
    rho, tau = spearman(before, after), kendall(before, after)
    few = f" With {len(pairs)} networks this is a rough number." if len(pairs) < FEW else ""
    return (
        f"{gain}. How well the short training foretold their order: Spearman's ρ {rho:.2f}, Kendall's τ {tau:.2f} over "
        f"{len(pairs)} networks (1: the same order; 0: no relation).{few} Of those that were not trained to the end it "
        "tells nothing."
    )


def _chart(dossier: Dossier, pairs: list[Network], metric: str) -> Chart:
    names, kinds = pick_names(dossier), pick_kinds(dossier)
    dots = tuple(
        Dot(
            _partial(each, metric) or 0.0,
            each.candidate.metrics[metric],
            kinds.get(each.id, "front") if each.on_front else "fallen",
            label=names.get(each.id),
            tip=f"candidate {each.id}: {_partial(each, metric):.4f} → {each.candidate.metrics[metric]:.4f}",
        )
        for each in sorted(pairs, key=lambda network: network.on_front)
    )
    return Chart(
        x_label=f"{metric_label(metric)} in the search",
        y_label=f"{metric_label(metric)} after full training",
        description=f"{metric} of {len(pairs)} networks after the search's training and after full training; "
        "the table below has the values",
        dots=dots,
        legend=(*dot_legend(dots), ("line identity", "no change")),
        identity=True,
    )


def _caption(dossier: Dossier) -> str:
    return (
        "The same networks, judged twice on the validation images: as the search did, and after full training. Above "
        "the line training helped; if the dots rise from left to right, the search saw the right order."
    )


def _table(dossier: Dossier, pairs: list[Network], metric: str) -> Table:
    device = f"device_{metric}"
    scored = any(device in each.candidate.metrics for each in pairs)
    on_device = (f"{device} (test images)",) if scored else ()
    columns = ("network", f"{metric} in the search", f"{metric} fully trained", *on_device, "gain")
    best_first = sorted(pairs, key=lambda network: -network.candidate.metrics[metric])
    rows = tuple(_row(dossier, each, metric, device if scored else None) for each in best_first)
    return Table(f"Each network before and after{GREY}", columns, rows)


def _row(dossier: Dossier, network: Network, metric: str, device: str | None) -> Row:
    before, after = _partial(network, metric) or 0.0, network.candidate.metrics[metric]
    cells = [network_name(dossier, network), metric_text(metric, before), metric_text(metric, after)]
    cells += [metric_text(device, network.candidate.metrics.get(device))] if device else []
    return row(*cells, f"{after - before:+.4f}", kind=row_kind(dossier, network))
