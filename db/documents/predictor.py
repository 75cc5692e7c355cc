"""How well latencies are predicted, as JSON: what `phones --predictor --json` prints. Loads scipy."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from db.latencies import LatencyGroup
from paretofarm.described import Inputs
from paretofarm.sensitivity import NORMAL_QUANTILE
from paretofarm.shared_latency import pace
from paretofarm.surrogates.forecasts import Quality, judge_forecasts


@dataclass(frozen=True)
class PredictorReport:
    """The predictor of one device class over one space."""

    group: LatencyGroup
    quality: Quality

    def to_json(self) -> dict[str, Any]:
        told = pace(self.group.experiment) or {}
        return {
            "device": self.group.device,
            "simulated": self.group.simulated,
            "space": told.get("space"),
            "measurement": told.get("measurement"),
            "searches": list(self.group.searches),
            **asdict(self.quality),
        }


def judge_predictors(groups: Sequence[LatencyGroup]) -> list[PredictorReport]:
    """Takes seconds for thousands of measurements."""
    return [PredictorReport(group, _judge(group)) for group in groups]


def _judge(group: LatencyGroup) -> Quality:
    space = group.experiment.search_space.search_space()
    inputs = Inputs.of([space.described.row(each.architecture) for each in group.latencies])
    values = np.array([each.latency_ms for each in group.latencies])
    widths = np.array([each.high_ms - each.low_ms for each in group.latencies])
    return judge_forecasts(inputs, values, widths / (2 * NORMAL_QUANTILE))
