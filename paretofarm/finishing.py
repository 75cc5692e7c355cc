"""The search that trains another one's best networks to the end."""

from collections.abc import Sequence

import numpy as np

from paretofarm.algorithms.listed import Listed
from paretofarm.errors import ConfigError
from paretofarm.experiment import Experiment, parse_experiment
from paretofarm.fidelity import best_first
from paretofarm.final import Final
from paretofarm.history import History, Member
from paretofarm.metrics import METRICS, Source
from paretofarm.objective import Constraint, Objective
from paretofarm.pareto import front
from paretofarm.training import NetworkTraining


def final_experiment(experiment: Experiment, history: History, final: Final, *, name: str) -> Experiment:
    """Over the chosen members of a search, with nothing else to find out than how good they really are.

    Where their device can score them, its scores take the place of the training's in objectives and limits. Of members
    that are taught by the largest it comes first. Errors: ConfigError where there is nothing to train.
    """
    if not isinstance(experiment.training, NetworkTraining) or not experiment.rungs:
        raise ConfigError(f"{experiment.name} trains no networks: there is nothing to finish")
    try:
        training = final.training_after(experiment.training)
    except ValueError as error:
        raise ConfigError(f"final: {error}") from error
    chosen = _chosen(history, final)
    if not chosen:
        raise ConfigError(f"{experiment.name} has no complete and feasible candidate: there is nothing to finish")
    taught = training.distillation is not None
    if taught:
        chosen.sort(key=lambda member: -member.metrics.get("macs", 0.0))
    architectures = history.architectures_of([member.number for member in chosen])
    algorithm = Listed(type="listed", architectures=tuple(architectures), first_alone=taught)
    return parse_experiment(
        {
            **experiment.model_dump(mode="json", exclude={"control", "warm_start", "fidelity", "final"}),
            "name": name,
            "algorithm": algorithm.model_dump(mode="json"),
            "objectives": [_told(item, experiment).model_dump(mode="json") for item in experiment.objectives],
            "constraints": [_told(item, experiment).model_dump(mode="json") for item in experiment.constraints],
            "training": training.model_dump(mode="json"),
            "stop": {"candidates": len(chosen)},
        },
        name,
    )


def _chosen(history: History, final: Final) -> list[Member]:
    """The best first; on the front, in order of the first objective."""
    points = history.points
    if not len(points):
        return []
    if final.members != "front":
        return [history.feasible[index] for index in best_first(points, min(final.members, len(points)))]
    return [history.feasible[index] for index in _in_order(points)]


def _in_order(points: np.ndarray) -> Sequence[int]:
    members = front(points)
    order: list[int] = members[np.argsort(points[members, 0], kind="stable")].tolist()
    return order


def _told(item: Objective | Constraint, experiment: Experiment) -> Objective | Constraint:
    """The same as the device tells it, where it can."""
    scored = METRICS.get(f"device_{item.name}")
    if item.metric.source is not Source.TRAIN or scored is None or experiment.measurement is None:
        return item
    settings = experiment.measurement
    able = (device for device in experiment.devices if settings.objection(device, scored) is None)
    device = next(able, None)
    return item if device is None else item.model_copy(update={"name": scored.name, "device": device})
