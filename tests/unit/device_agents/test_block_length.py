"""How many inferences a block has, whatever an experiment asks for."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from device_agents.measurement import Measurement
from device_agents.runtimes import BlockTimes, DeviceRuntime, InstalledNetwork
from paretofarm.ports import DeviceLink
from paretofarm.runtimes import OnnxRuntimeMeasurement


@dataclass
class Steady:
    """A runtime of which nothing is wanted but its pace."""

    pace_ms: float
    asked: list[int] = field(default_factory=list)

    def time_block(self, *where: object, inferences: int, **what: object) -> BlockTimes:
        self.asked.append(inferences)
        return BlockTimes((self.pace_ms,) * min(inferences, 3))


@pytest.mark.parametrize(
    "pace_ms, wishes, length",
    [
        (1.0, {}, 2000),
        (50.0, {}, 100),
        (1.0, {"min_block_s": 600}, 240_000),
        (2000.0, {"min_inferences": 1_000_000}, 120),
        (90_000.0, {}, 5),
    ],
)
def test_a_block_is_as_long_as_was_asked_for_but_never_so_long_that_it_seems_to_hang(
    pace_ms: float, wishes: dict[str, Any], length: int
) -> None:
    runtime = Steady(pace_ms)
    settings = OnnxRuntimeMeasurement.model_validate({"runtime": "onnxruntime", **wishes})
    network = InstalledNetwork(Path(), "network")
    measurement = Measurement(
        cast(DeviceLink, None), cast(DeviceRuntime, runtime), settings, network, network, "", lambda: None
    )
    assert measurement.reference_pace_ms() == pace_ms
    assert runtime.asked == [5, length, length, length]
