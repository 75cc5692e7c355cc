"""What every problem of these benchmarks is about, and how well a search did."""

from dataclasses import dataclass

from paretofarm.metrics import Goal
from paretofarm.objective import Objective

OBJECTIVES = (
    Objective(name="accuracy", goal=Goal.MAXIMIZE),
    Objective(name="latency_ms", goal=Goal.MINIMIZE, device="table"),
)
ACCURACY, LATENCY = (objective.key for objective in OBJECTIVES)


@dataclass(frozen=True)
class Scores:
    """Hypervolume reached, relative to the true front's: with the worst of all as reference, and with their medians."""

    worst: float
    median: float
