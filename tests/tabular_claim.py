"""A claim on work that is looked up in a table."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from factories import make_experiment

from db.claim import Claim
from paretofarm.lifecycle import Step
from paretofarm.spaces.nas_bench_201 import from_codes


def tabular_claim(training: Mapping[str, Any], step: Step, codes: Sequence[int]) -> Claim:
    """training: a tabular one of accuracy; codes: of the architecture, as the table has them."""
    experiment = make_experiment(
        search_space={"type": "nas_bench_201"},
        objectives=[{"name": "accuracy", "goal": "maximize"}],
        constraints=[],
        training=training,
        measurement=None,
    )
    numbers = {name: 1 for name in ("evaluation_id", "attempt", "candidate_id", "number", "experiment_id")}
    return Claim(
        **numbers,
        failures=0,
        token=uuid4(),
        owner="tester",
        step=step,
        experiment_name="demo",
        experiment=experiment,
        architecture=from_codes(codes),
        metrics={},
        artifacts=(),
    )
