"""Which cheap training ranks networks as a full one does: the same networks, trained in several ways.

What a search maximises is a proxy: accuracy after so many epochs, on so many images, of so small a size. What it is
worth is how well it ranks (Kendall's τ against full training), at what share of the cost. Zhou et al. 2020 (EcoNAS)
looked at theirs so, and Archai (Spearman 0.987 of one epoch against thirty).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from paretofarm.algorithms.listed import Listed
from paretofarm.architecture import Architecture
from paretofarm.errors import ConfigError
from paretofarm.experiment import NAME_LENGTH, Experiment, parse_experiment
from paretofarm.metrics import Source
from paretofarm.objective import Constraint, Objective
from paretofarm.rank_correlation import kendall
from paretofarm.strict import Strict
from paretofarm.training import NetworkTraining

RESAMPLES = 1000
DRAWN = 20


class Proxy(Strict):
    """A cheaper training. share: of the training images; size: of the images, in pixels; None: as the search's."""

    epochs: int = Field(ge=1, le=10_000)
    share: float = Field(1.0, gt=0, le=1)
    size: int | None = Field(None, ge=16, le=2048, multiple_of=16)

    @property
    def label(self) -> str:
        """Part of a name."""
        parts = (f"e{self.epochs}", f"s{self.share * 100:g}" if self.share < 1 else "", f"{self.size or ''}")
        return "-".join(part.replace(".", "_") for part in parts if part)


@dataclass(frozen=True)
class Verdict:
    """How well a proxy ranks. tau: Kendall's τ-b against full training; low, high: its 95 % interval over networks (a
    bootstrap); cost: seconds of training as a share of the full ones'; networks: so many were trained in both ways."""

    proxy: Proxy
    tau: float
    low: float
    high: float
    cost: float
    networks: int


def study_networks(experiment: Experiment, count: int) -> list[Architecture]:
    """Random networks of the space, `DRAWN` for each that is wanted: the first that keep the limits are trained.

    Fewer where the space has no more.
    """
    space, rng = experiment.search_space.search_space(), np.random.default_rng(experiment.seed)
    drawn = (space.sample(rng) for _ in range(count * DRAWN))
    return list({architecture.digest: architecture for architecture in drawn}.values())


def trial(
    experiment: Experiment, proxy: Proxy, networks: Sequence[Architecture], *, count: int, name: str
) -> Experiment:
    """The search that trains the first `count` of the networks that keep the limits by a proxy, and nothing else."""
    training = experiment.training
    if not isinstance(training, NetworkTraining):
        raise ConfigError(f"{experiment.name} trains no networks: there are no proxies to compare")
    size = proxy.size or training.dataset.size
    left_out = {"control", "warm_start", "fidelity", "final", "measurement", "rates", "racing", "predictor"}
    document = experiment.model_dump(mode="json", exclude=left_out)
    algorithm = Listed(type="listed", architectures=tuple(networks))
    return parse_experiment(
        {
            **document,
            "name": name[:NAME_LENGTH],
            "search_space": {**document["search_space"], "input_size": size},
            "algorithm": algorithm.model_dump(mode="json"),
            "objectives": [judged_by(experiment).model_dump(mode="json")],
            "constraints": [limit.model_dump(mode="json") for limit in _limits(experiment, size)],
            "training": {
                **document["training"],
                "dataset": {**document["training"]["dataset"], "size": size},
                "epochs": [proxy.epochs],
                "share": proxy.share,
            },
            "stop": {"candidates": count},
        },
        name,
    )


def _limits(experiment: Experiment, size: int) -> Iterator[Constraint]:
    """On what is known before training. MACs grow with the area of the images, so their limit does."""
    assert experiment.training is not None and experiment.training.dataset is not None
    area = (size / experiment.training.dataset.size) ** 2
    for limit in experiment.constraints:
        if limit.metric.source is Source.BUILD:
            factor = area if limit.name == "macs" else 1.0
            bounds = {"at_most": limit.at_most, "at_least": limit.at_least}
            scaled = {name: bound * factor for name, bound in bounds.items() if bound is not None}
            yield limit.model_copy(update=scaled)


def judged_by(experiment: Experiment) -> Objective:
    """The first objective that a training tells. ConfigError where there is none."""
    told = [objective for objective in experiment.objectives if objective.metric.source is Source.TRAIN]
    if not told:
        raise ConfigError(f"{experiment.name} has no objective that a training tells, such as miou or accuracy")
    return told[0]


def judge(
    proxy: Proxy, values: Mapping[str, float], full: Mapping[str, float], *, seconds: tuple[float, float]
) -> Verdict | None:
    """values, full: the objective by digest; seconds: of training, the proxy's and the full ones'. None for fewer than
    three networks."""
    both = sorted(values.keys() & full.keys())
    if len(both) < 3:
        return None
    pairs = np.array([[values[digest], full[digest]] for digest in both])
    rng = np.random.default_rng(0)
    drawn = [pairs[rng.integers(len(pairs), size=len(pairs))] for _ in range(RESAMPLES)]
    low, high = np.quantile([kendall(sample[:, 0], sample[:, 1]) for sample in drawn], [0.025, 0.975])
    cost = seconds[0] / seconds[1] if seconds[1] else 0.0
    return Verdict(proxy, kendall(pairs[:, 0], pairs[:, 1]), float(low), float(high), cost, len(both))
