"""What a report calls metrics, networks and picks."""

from collections.abc import Iterable, Mapping

from cli.picture import Axis
from cli.words import interval_text
from db.dossier import Dossier, Network, Run
from db.reported import ReportedCandidate
from paretofarm.metrics import METRICS
from paretofarm.objective import Objective, cost_first
from paretofarm.picks import Pick

CHEAPEST: Mapping[str, str] = {
    "latency_ms": "fastest",
    "latency_p90_ms": "fastest",
    "latency_sustained_ms": "fastest",
    "load_ms": "quickest to load",
    "parameters": "smallest",
    "network_bytes": "smallest",
    "macs": "least arithmetic",
}


def order(run: Run) -> tuple[Objective, ...]:
    """The objectives of a search: a cost, a quality, a third."""
    return cost_first(run.front.objectives)


def pick_name(run: Run, pick: Pick) -> str:
    """`fastest`, `knee`, `most accurate`, or the like where it is about other metrics."""
    objectives = order(run)
    match pick:
        case Pick.KNEE:
            return "knee"
        case Pick.CHEAPEST:
            return CHEAPEST.get(objectives[0].name, f"best {objectives[0].name}")
        case Pick.BEST:
            best = objectives[min(1, len(objectives) - 1)]
            return "most accurate" if best.metric.trained and best.name != "loss" else f"best {best.name}"


def pick_names(dossier: Dossier) -> dict[int, str]:
    """By id."""
    return {candidate_id: pick_name(dossier.told, pick) for pick, candidate_id in dossier.picks.items()}


def pick_kinds(dossier: Dossier) -> dict[int, str]:
    """Classes of the page's style, by id."""
    return {candidate_id: f"pick {pick.value}" for pick, candidate_id in dossier.picks.items()}


def network_name(dossier: Dossier, network: Network) -> str:
    """`23 (knee)`."""
    name = pick_names(dossier).get(network.id)
    return f"{network.id} ({name})" if name else str(network.id)


def row_kind(dossier: Dossier, network: Network) -> str:
    """Class of a network's row in a table."""
    return pick_kinds(dossier).get(network.id, "") if network.on_front else "fallen"


def axis_label(objective: Objective) -> str:
    return metric_label(objective.name, objective.device)


def metric_label(name: str, device: str | None = None) -> str:
    """`latency on virtual (ms)`."""
    return Axis.of(Objective(name=name, device=device, goal=METRICS[name].natural_goal)).label


def value_text(candidate: ReportedCandidate, name: str) -> str:
    """With its interval where it has one."""
    return interval_text(name, candidate.metrics.get(name), candidate.intervals.get(name))


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
