"""What a search knows from earlier ones over the same space: whom to try first, and what need not be tried again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from paretofarm.architecture import Architecture
from paretofarm.experiment import Experiment
from paretofarm.fidelity import best_first
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import METRICS, Source


@dataclass(frozen=True)
class Earlier:
    """An earlier search: its experiment, its members and their architectures by number."""

    experiment: Experiment
    members: Sequence[Member]
    architectures: Mapping[int, Architecture]


@dataclass(frozen=True)
class Inheritance:
    """seeds: to be tried first, the best first. observed: members of earlier searches, numbered -1, -2, …, with those
    metrics only that mean the same here; architectures: of these."""

    seeds: tuple[Architecture, ...] = ()
    observed: tuple[Member, ...] = ()
    architectures: Mapping[int, Architecture] | None = None


def inherit(experiment: Experiment, earlier: Sequence[Earlier]) -> Inheritance:
    """What `warm_start:` of an experiment makes of earlier searches; depends on the arguments alone."""
    settings = experiment.warm_start
    if settings is None:
        return Inheritance()
    turns = chain.from_iterable(zip_longest(*(_best(experiment, each, settings.best) for each in earlier)))
    seeds = {architecture.digest: architecture for architecture in turns if architecture is not None}
    observed: list[Member] = []
    architectures: dict[int, Architecture] = {}
    for each in earlier if settings.observe else ():
        for member in _observations(experiment, each):
            number = -1 - len(observed)
            architectures[number] = each.architectures[member.number]
            observed.append(replace(member, number=number))
    return Inheritance(tuple(seeds.values())[: settings.best], tuple(observed), architectures)


def _best(experiment: Experiment, earlier: Earlier, count: int) -> Iterator[Architecture]:
    """Of its feasible members by its own objectives, but for those that are known to break a limit of ours."""
    source = earlier.experiment
    history = History(earlier.members, source.objectives, source.constraints, {}, source.rungs)
    if not len(history.points) or not count:
        return
    for index in best_first(history.points, len(history.points)):
        member = history.feasible[index]
        known = transferable(experiment, source, member.metrics)
        if all(limit.holds(known[limit.key]) for limit in experiment.constraints if limit.key in known):
            yield earlier.architectures[member.number]


def _observations(experiment: Experiment, earlier: Earlier) -> Iterator[Member]:
    """Those that were trained, with what they tell about our objectives."""
    wanted = {objective.key for objective in experiment.objectives}
    for member in earlier.members:
        if member.status in (CandidateStatus.COMPLETE, CandidateStatus.PAUSED):
            metrics = transferable(experiment, earlier.experiment, member.metrics)
            if wanted & metrics.keys():
                yield replace(member, metrics=metrics, search=earlier.experiment.name)


def transferable(experiment: Experiment, earlier: Experiment, metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics that mean the same in both: of the network always, trained ones where training and data set are the same,
    those of a device class where it is measured in the same way, scores where both are so."""
    same_training = experiment.training == earlier.training
    same_measurement = experiment.measurement == earlier.measurement
    holds = {
        Source.BUILD: True,
        Source.TRAIN: same_training,
        Source.COMPILE: same_measurement,
        Source.MEASURE: same_measurement,
        Source.SCORE: same_training and same_measurement,
    }
    return {key: value for key, value in metrics.items() if holds[METRICS[key.partition("@")[0]].source]}
