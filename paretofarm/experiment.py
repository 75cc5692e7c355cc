"""One experiment file as a model. What is written here is stored with the search and drives everything it does."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from paretofarm.algorithms import AlgorithmSettings, Listed, RandomSearch, SurrogatePareto
from paretofarm.capacity import MOST as MOST_IN_FLIGHT
from paretofarm.complaints import NAME_PATTERN, complaints
from paretofarm.cost import Rates, Spent
from paretofarm.errors import ArchitectureError, ConfigError
from paretofarm.fidelity import Fidelity
from paretofarm.final import SUFFIX as FINAL_SUFFIX
from paretofarm.final import Final
from paretofarm.lifecycle import Plan
from paretofarm.metrics import LATENCY, Metric
from paretofarm.objective import Constraint, Objective
from paretofarm.predictor import Predictor
from paretofarm.racing import Racing
from paretofarm.runtimes import MeasurementSettings
from paretofarm.spaces import SearchSpaceSettings
from paretofarm.spaces.network_space import NetworkSpace
from paretofarm.strict import Strict
from paretofarm.table_settings import TableSource
from paretofarm.task import Task
from paretofarm.training import NetworkTraining, TabularTraining, TrainingSettings

NAME_LENGTH = 63
CONTROL_SUFFIX = "-control"


class Stop(Strict):
    """When a search is over: with so many complete candidates, or after so many proposals, whatever became of them, or
    when it has used what it may; what is in flight then comes to its end."""

    candidates: int = Field(ge=1, le=10_000_000)
    proposals: int | None = Field(None, ge=1, description="`Experiment.proposal_limit` where absent")
    gpu_hours: float | None = Field(None, gt=0, le=1e7, description="of training, on whatever trains")
    cost: float | None = Field(None, gt=0, le=1e9, description="by `rates:`, in their currency")

    @property
    def has_budget(self) -> bool:
        return self.gpu_hours is not None or self.cost is not None


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


SearchName = Annotated[str, Field(pattern=NAME_PATTERN, max_length=NAME_LENGTH)]


class WarmStart(Strict):
    """Earlier searches over the same space to begin with, whatever their devices, limits and objectives.

    search: a name, or several. best: so many of their best networks are proposed first, and evaluated again. observe:
    what they found out counts for the algorithm where metric, training, data set and measurement are the same.
    """

    search: Annotated[tuple[SearchName, ...], Field(min_length=1), BeforeValidator(_listed)]
    best: int = Field(8, ge=0, le=1000)
    observe: bool = True


class Experiment(Strict):
    """A search: what to look for, where, how to judge it, when to stop."""

    name: str = Field(pattern=NAME_PATTERN, max_length=NAME_LENGTH)
    seed: int = Field(0, ge=0, lt=2**63)
    search_space: SearchSpaceSettings
    algorithm: AlgorithmSettings
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1, max_length=3)]
    constraints: tuple[Constraint, ...] = ()
    training: TrainingSettings | None = None
    fidelity: Fidelity | None = None
    measurement: MeasurementSettings | None = None
    stop: Stop
    rates: Rates | None = None
    warm_start: WarmStart | None = None
    control: Literal["random"] | None = Field(None, description="a random search beside it, at equal cost")
    final: Final | None = Field(None, description="train the best to the end when the search is over")
    predictor: Predictor = Predictor()
    racing: Racing | None = Field(None, description="measure again whoever on the front may be dominated or not")
    in_flight: int | None = Field(
        None,
        ge=1,
        le=MOST_IN_FLIGHT,
        description="candidates between proposal and end at any moment; absent: what keeps live workers and phones "
        "busy, shared with other running searches",
    )

    @model_validator(mode="before")
    @classmethod
    def _rungs_once(cls, document: Any) -> Any:
        """Where only `fidelity.rungs` says what the rungs are, they are `training.epochs` too."""
        if not isinstance(document, Mapping):
            return document
        training, fidelity = document.get("training"), document.get("fidelity")
        if isinstance(training, Mapping) and isinstance(fidelity, Mapping) and "rungs" in fidelity:
            return {**document, "training": {"epochs": fidelity["rungs"], **training}}
        return document

    @field_validator("objectives")
    @classmethod
    def _distinct(cls, objectives: tuple[Objective, ...]) -> tuple[Objective, ...]:
        keys = [objective.key for objective in objectives]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))} is there more than once")
        return objectives

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wanted = [*self.objectives, *self.constraints]
        if self.training is None and any(item.metric.trained for item in wanted):
            raise ValueError("an objective or constraint on a trained metric needs a `training:` section")
        if self.measurement is None and any(item.device for item in wanted):
            raise ValueError("an objective or constraint on a device needs a `measurement:` section")
        return self

    @model_validator(mode="after")
    def _measurable(self) -> Self:
        if self.measurement is None:
            return self
        for item in (*self.objectives, *self.constraints):
            problem = item.device and self.measurement.objection(item.device, item.metric)
            if problem:
                raise ValueError(f"measurement.runtime {self.measurement.runtime}: {problem}")
        return self

    @model_validator(mode="after")
    def _raceable(self) -> Self:
        if self.racing and not any(objective.name == LATENCY for objective in self.objectives):
            raise ValueError(f"racing: no objective is {LATENCY}, so that there is nothing to measure again")
        return self

    @model_validator(mode="after")
    def _predictable(self) -> Self:
        if self.predictor.screen is not None and not any(limit.name == LATENCY for limit in self.constraints):
            raise ValueError(f"predictor.screen: no constraint limits {LATENCY}, so that nothing is screened")
        if self.predictor.borrow and not isinstance(self.algorithm, SurrogatePareto | Listed):
            raise ValueError(f"predictor.borrow: {self.algorithm.type} has no model that could use it")
        return self

    @model_validator(mode="after")
    def _same_size(self) -> Self:
        space, training = self.search_space, self.training
        if isinstance(space, NetworkSpace) and isinstance(training, NetworkTraining):
            size, expected = training.dataset.size, space.input_size
            if size != expected:
                raise ValueError(f"training.dataset.size is {size}, search_space.input_size is {expected}")
        return self

    @model_validator(mode="after")
    def _tables_or_networks(self) -> Self:
        parts = [part for part in (self.training, self.measurement) if part is not None]
        if self.is_tabular and not all(isinstance(part, TableSource) for part in parts):
            raise ValueError("training and measurement are both tabular, or neither is: a table has no networks")
        if not self.is_tabular and not isinstance(self.search_space, NetworkSpace):
            kind = self.search_space.type
            raise ValueError(f"search_space {kind} is known from tables alone: training and measurement are tabular")
        return self

    @model_validator(mode="after")
    def _same_task(self) -> Self:
        space, training = self.search_space, self.training
        if not isinstance(training, NetworkTraining):
            return self
        if isinstance(space, NetworkSpace) and space.task is not training.task:
            raise ValueError(f"training.type is {training.type}, but the networks of {space.type} are for {space.task}")
        for part, items in (("objectives", self.objectives), ("constraints", self.constraints)):
            for problem in filter(None, (training.objection(item.metric) for item in items)):
                raise ValueError(f"{part}: {problem}")
        return self

    @model_validator(mode="after")
    def _in_the_table(self) -> Self:
        if self.is_tabular:
            for item in (*self.objectives, *self.constraints):
                problem = None if item.device else self._lacking(item.metric)
                if problem:
                    raise ValueError(problem)
        return self

    def _lacking(self, metric: Metric) -> str | None:
        if isinstance(self.training, TabularTraining):
            return self.training.objection(metric)
        return f"{metric.name} is a column of a tabular training"

    @property
    def task(self) -> Task:
        """What its networks say of an image."""
        return self.search_space.task

    @property
    def is_tabular(self) -> bool:
        """Whether tables say what else is trained and measured: there are no networks then."""
        return isinstance(self.training, TableSource) or isinstance(self.measurement, TableSource)

    @model_validator(mode="after")
    def _same_rungs(self) -> Self:
        if self.fidelity is None:
            return self
        if self.training is None or not self._is_trained:
            raise ValueError("fidelity: nothing is trained, so that there is nothing to save")
        if self.training.epochs != self.fidelity.rungs:
            epochs, rungs = list(self.training.epochs), list(self.fidelity.rungs)
            raise ValueError(f"fidelity.rungs is {rungs}, training.epochs is {epochs}: write the same, or one of them")
        return self

    @model_validator(mode="after")
    def _controllable(self) -> Self:
        if self.control is None:
            return self
        if isinstance(self.algorithm, RandomSearch):
            raise ValueError("control: the search is random itself")
        if len(self.name) + len(CONTROL_SUFFIX) > NAME_LENGTH:
            most = NAME_LENGTH - len(CONTROL_SUFFIX)
            raise ValueError(f"name: at most {most} characters, since its control is called NAME{CONTROL_SUFFIX}")
        return self

    @model_validator(mode="after")
    def _priced(self) -> Self:
        if self.stop.cost is not None and self.rates is None:
            raise ValueError("stop.cost needs `rates:`, the prices of hours")
        return self

    def exhausted(self, spent: Spent) -> str | None:
        """Why the search may use no more; None while it may."""
        stop, rates = self.stop, self.rates
        if stop.gpu_hours is not None and spent.gpu_hours >= stop.gpu_hours:
            return f"has used {spent.gpu_hours:.3g} of {stop.gpu_hours:g} GPU-hours"
        if stop.cost is not None and rates is not None and rates.cost(spent) >= stop.cost:
            return f"has cost {rates.cost(spent):.2f} of {stop.cost:.2f} {rates.currency}"
        return None

    @model_validator(mode="after")
    def _finishable(self) -> Self:
        if self.final is None:
            return self
        if not isinstance(self.training, NetworkTraining) or not self._is_trained:
            raise ValueError("final: nothing is trained, so that there is nothing to train to the end")
        if len(self.name) + len(FINAL_SUFFIX) > NAME_LENGTH:
            most = NAME_LENGTH - len(FINAL_SUFFIX)
            raise ValueError(f"name: at most {most} characters, since its end is called NAME{FINAL_SUFFIX}")
        self.final.training_after(self.training)
        return self

    @model_validator(mode="after")
    def _listed_in_space(self) -> Self:
        if isinstance(self.algorithm, Listed):
            space = self.search_space.search_space()
            for number, architecture in enumerate(self.algorithm.architectures):
                try:
                    listed = space.validate(architecture.choices)
                except ArchitectureError as error:
                    raise ValueError(f"algorithm.architectures.{number}: {error.message}") from error
                if listed != architecture:
                    raise ValueError(f"algorithm.architectures.{number} is of the space {architecture.space}")
        return self

    def control_experiment(self) -> "Experiment | None":
        """The random search beside it: the same settings and as many candidates, but no network in common.

        Nor does it screen what it proposes.
        """
        if self.control is None:
            return None
        own = {
            "name": f"{self.name}{CONTROL_SUFFIX}",
            "seed": (self.seed + 1) % 2**63,
            "control": None,
            "warm_start": None,
            "final": None,
            "predictor": Predictor(),
        }
        return self.model_copy(update={**own, "algorithm": RandomSearch(type="random")})

    @property
    def _is_trained(self) -> bool:
        return any(item.metric.trained for item in (*self.objectives, *self.constraints))

    @property
    def rungs(self) -> tuple[int, ...]:
        """Total epochs of training at each rung; none where no trained metric is asked for."""
        return self.training.epochs if self.training and self._is_trained else ()

    @property
    def proposal_limit(self) -> int:
        """After so many proposals a search gives up: twenty for each complete candidate that is wanted.

        Of those that are trained by rungs only a share can be complete, however well all goes: they do not count.
        """
        if self.stop.proposals is not None:
            return self.stop.proposals
        share = self.fidelity.proposals_per_complete if self.fidelity else 1.0
        return math.ceil(20 * self.stop.candidates * share)

    @property
    def devices(self) -> tuple[str, ...]:
        """Device classes that are asked for, in order of first mention."""
        named = [item.device for item in (*self.objectives, *self.constraints) if item.device]
        return tuple(dict.fromkeys(named))

    def plan(self) -> Plan:
        """What the state machine asks of every candidate."""
        return Plan(
            devices=self.devices,
            rungs=len(self.rungs),
            objectives=tuple(objective.key for objective in self.objectives),
            constraints=self.constraints,
            by_promotion=self.fidelity is not None,
            measure_trained=isinstance(self.algorithm, Listed) and bool(self.rungs) and not self.is_tabular,
        )


def parse_experiment(document: Mapping[str, Any], source: str) -> Experiment:
    """Validates a parsed experiment file. ConfigError names the source and, per problem, key, value and reason."""
    try:
        return Experiment.model_validate(document)
    except ValidationError as error:
        raise ConfigError(f"{source}: " + "; ".join(complaints(error, document))) from error
