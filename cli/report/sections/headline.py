"""What was found: three networks."""

from cli.report.blocks import Block, Card, Cards, Section, Words
from cli.report.naming import axis_label, listed, metric_label, order, pick_name, value_text
from cli.words import count_text, heading, metric_text
from db.dossier import Dossier, Network, Run
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import trained_counterpart
from paretofarm.picks import Pick

USUAL = ("parameters", "macs")


def section(dossier: Dossier) -> Section:
    blocks: list[Block] = [Words(_search(dossier.own)), Words(_end(dossier))]
    picked = ((pick, dossier.network(pick)) for pick in dossier.picks)
    cards = tuple(_card(dossier, pick, network) for pick, network in picked if network is not None)
    return Section("What was found", "found", [*blocks, Cards(cards), Words(_how_chosen(dossier), note=True)])


def _search(run: Run) -> str:
    complete, members = run.counts[CandidateStatus.COMPLETE], len(run.front.members)
    aims = listed(axis_label(each) for each in order(run))
    return (
        f"{run.name} tried {count_text(sum(run.counts.values()), 'architecture')}; {complete} came to their "
        f"end{_trained(run)}. {members} of them {'is' if members == 1 else 'are'} on the Pareto front of {aims}: no "
        "other one is better in one of these without being worse in another."
    )


def _end(dossier: Dossier) -> str:
    final = dossier.final
    if dossier.own.search.experiment.is_tabular:
        return "No network was built or trained: what each of them comes to was looked up in a table."
    if final is None:
        return (
            "They have not been trained to the end yet; `paretofarm finish` does that. What follows is what the search "
            "judged by, and no promise of what a trained network can do."
        )
    left, all_ = len(final.front.members), sum(final.counts.values())
    return (
        f"The best {all_} were then trained to the end ({count_text(final.search.experiment.rungs[-1], 'epoch')}), "
        f"quantized from their trained weights, measured and judged again as {final.name}: {left} of them "
        f"{'is' if left == 1 else 'are'} still on the front."
    )


def _trained(run: Run) -> str:
    rungs = run.search.experiment.rungs
    return f", trained for {count_text(rungs[-1], 'epoch')}" if rungs else ""


def _card(dossier: Dossier, pick: Pick, network: Network) -> Card:
    run, candidate = dossier.told, network.candidate
    objectives = order(run)
    pairs = [(axis_label(each), value_text(candidate, each.name)) for each in objectives]
    for each in objectives:
        metric = trained_counterpart(each.name)
        before = network.partial.metrics.get(metric) if network.partial and each.metric.trained else None
        if before is not None:
            pairs.append((f"{metric_label(metric)} in the search", metric_text(metric, before)))
    named = [each.name for each in objectives]
    pairs += [(heading(name), metric_text(name, candidate.metrics[name])) for name in USUAL
              if name in candidate.metrics and name not in named]  # fmt: skip
    title = pick_name(run, pick)
    command = None if run.search.experiment.is_tabular else f"paretofarm export {candidate.id}"
    return Card(f"{title[0].upper()}{title[1:]}", pick.value, tuple(pairs), command)


def _how_chosen(dossier: Dossier) -> str:
    ends = [pick_name(dossier.told, pick) for pick in dossier.picks if pick is not Pick.KNEE]
    knee = "; the knee is the member nearest to the best value of every objective, each scaled to the front's own range"
    return (
        f"{listed(ends).capitalize()}: the end{'s' if len(ends) > 1 else ''} of the front"
        f"{knee if Pick.KNEE in dossier.picks else ''}. Whoever is on a front of many is not only good but also lucky: "
        "on other images, expect a little less."
    )
