"""How far searches are, for `search list` and `search show`."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from cli.tables import print_facts, print_table
from cli.words import count_text, duration, metric_text
from db.course import Standing
from db.experiments import ExperimentStatus, StoredExperiment
from db.search_status import SearchStatus
from paretofarm.cost import Spent
from paretofarm.experiment import CONTROL_SUFFIX
from paretofarm.lifecycle import CandidateStatus


def print_statuses(statuses: Sequence[SearchStatus]) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("id", "name", "status", "complete", "infeasible", "failed", "front", "started (UTC)", "time"):
        table.add_column(name, justify="left" if name in ("name", "status") else "right")
    for status in statuses:
        search, counts = status.search, status.progress.counts
        table.add_row(
            str(search.id),
            search.name if search.control_of is None and search.final_of is None else f"  {search.name}",
            search.status.value,
            f"{counts[CandidateStatus.COMPLETE]}/{search.experiment.stop.candidates}",
            str(counts[CandidateStatus.INFEASIBLE]),
            str(counts[CandidateStatus.FAILED]),
            str(status.standing.front_size),
            f"{search.created_at:%Y-%m-%d %H:%M}",
            duration(status.progress.elapsed_s),
        )
    print_table(table, less_important=["started (UTC)", "infeasible", "failed", "time", "front"])


def print_status(status: SearchStatus, spent: Spent) -> None:
    search, now, standing = status.search, status.progress, status.standing
    facts = {
        **({"random control of": search.control_of} if search.control_of else {}),
        **({"trains to the end": f"the best of {search.final_of}"} if search.final_of else {}),
        **({"random control": f"{search.name}{CONTROL_SUFFIX}"} if search.experiment.control else {}),
        "status": f"{search.status.value}{': ' + search.reason if search.reason else ''}",
        "device classes": _devices(status),
        "candidates": ", ".join(f"{count} {name}" for name, count in _counts(status).items())
        + f"; {search.experiment.stop.candidates} complete ones wanted",
        "in flight": ", ".join(
            f"{stage} {load.leased} at work, {load.queued} waiting" for stage, load in now.stages.items()
        )
        or "nothing",
        "front": _front(search, standing),
        "time": duration(now.elapsed_s),
        "used": _used(search, spent),
    }
    if now.eta_s is not None and search.status is ExperimentStatus.RUNNING:
        facts["time"] += f", about {duration(now.eta_s)} left"
    for code, count in now.failures.items():
        facts[f"failed by {code}"] = str(count)
    print_facts(facts, title=f"{search.name} (id {search.id})")


def _used(search: StoredExperiment, spent: Spent) -> str:
    """Wall time of all work on it, and what that costs where the experiment file has prices."""
    times = (("training", spent.train_s), ("phones", spent.phone_s), ("building and compiling", spent.host_s))
    rates, stop = search.experiment.rates, search.experiment.stop
    budget = [f"of {stop.gpu_hours:g} GPU-hours"] if stop.gpu_hours is not None else []
    if rates is not None:
        limit = f" of {stop.cost:.2f}" if stop.cost is not None else ""
        budget.append(f"{rates.cost(spent):.2f}{limit} {rates.currency}")
    return ", ".join([*(f"{name} {duration(time_s)}" for name, time_s in times), *budget])


def _counts(status: SearchStatus) -> dict[CandidateStatus, int]:
    """Nobody waits in a search without rungs: then that goes without saying."""
    by_rungs = status.search.experiment.fidelity is not None
    counts = status.progress.counts.items()
    return {name: count for name, count in counts if by_rungs or name is not CandidateStatus.PAUSED}


def _devices(status: SearchStatus) -> str:
    named = [
        f"{device} (simulated)" if device in status.simulated else device for device in status.search.experiment.devices
    ]
    return ", ".join(named) or "none: nothing is measured"


def _front(search: StoredExperiment, standing: Standing) -> str:
    if standing.best is not None:
        objective = search.experiment.objectives[0]
        return f"best {objective.name} {metric_text(objective.key, standing.best)}"
    ratio = standing.improvement
    better = "" if ratio is None else f", hypervolume {ratio:.2f} times that of the first complete candidates"
    return f"{count_text(standing.front_size, 'member')}{better}"
