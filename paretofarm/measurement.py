"""How candidates are measured: what all runtimes share of the `measurement:` part of an experiment file."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from paretofarm.calibration import Calibration
from paretofarm.latency import MAX_REFERENCE_SHIFT
from paretofarm.metrics import Metric
from paretofarm.strict import Strict

PROTOCOL_VERSION = 2
"""Raised whenever numbers taken before and after a change to the protocol must not be compared."""


class MeasurementProtocol(Strict):
    """Blocks of inferences interleaved with a reference network (`paretofarm.latency` judges them).

    A block ends after both `min_inferences` and `min_block_s`; blocks are added until the half-width of the 95 %
    confidence interval is at most `max_relative_ci` of the value, from `min_blocks` to `max_blocks`. A block does
    not count where the reference's pace is further than `max_reference_shift` from the phone's usual one. A phone that
    is not at rest, as the reference says, may rest for `max_rest_s` altogether (simulated phones never do).

    reuse: what was measured before under the same protocol, not noisy, is not measured again. sustained_s: afterwards
    the network runs without a pause for that long, for `latency_sustained_ms` (0: not at all).

    calibration: how the ranges of a trained network's quantized activations are chosen: their extremes over the
    calibration images (`minmax`), all but a ten-thousandth at each end (`percentile`), the least squared error (`mse`),
    or whichever of these scores `best` on the validation split. With random weights it is always `minmax`.
    layer_sensitivity: the layers that suffer most from quantization are looked for, too.
    """

    max_relative_ci: float = Field(0.02, gt=0, lt=1)
    warmup_inferences: int = Field(20, ge=1, le=10_000)
    min_inferences: int = Field(100, ge=3, le=1_000_000)
    min_block_s: float = Field(2.0, ge=0, le=600)
    min_blocks: int = Field(3, ge=3, le=100)
    max_blocks: int = Field(8, ge=3, le=100)
    max_reference_shift: float = Field(MAX_REFERENCE_SHIFT, gt=0, le=1)
    max_rest_s: float = Field(120.0, ge=0, le=3600)
    reuse: bool = True
    sustained_s: float = Field(0.0, ge=0, le=7200)
    calibration_images: int = Field(64, ge=1, le=10_000)
    calibration: Calibration = "best"
    layer_sensitivity: bool = True
    test_images: int = Field(200, ge=1, le=10_000, description="that device_miou and its kin are scored on")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_blocks < self.min_blocks:
            raise ValueError(f"max_blocks ({self.max_blocks}) is smaller than min_blocks ({self.min_blocks})")
        return self

    @property
    def protocol_key(self) -> str:
        """Times taken under another key must not be compared: runtime, protocol version, what else changes the pace."""
        raise NotImplementedError

    @property
    def pace(self) -> Mapping[str, Any]:
        """All that decides how fast a device class runs an untrained network: what a runtime adds to the protocol.

        How many blocks a measurement takes, or how trained networks are quantized, is none of it.
        """
        common = set(MeasurementProtocol.model_fields)
        return {"protocol": PROTOCOL_VERSION, **self.model_dump(mode="json", exclude=common)}

    @property
    def simulated(self) -> bool:
        """Whether whatever comes of it is simulated, on a real phone too."""
        return False

    def objection(self, device: str, metric: Metric) -> str | None:
        """Why this runtime cannot tell the metric of a device class; None where it can."""
        if metric.name == "latency_sustained_ms" and not self.sustained_s:
            return f"{metric.name}@{device} needs measurement.sustained_s, the seconds to run for"
        return None
