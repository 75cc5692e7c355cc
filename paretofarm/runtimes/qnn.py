"""Settings of the runtime `qnn`: a network on the Hexagon tensor processor (HTP) of a Snapdragon, by Qualcomm's QNN."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from paretofarm.measurement import PROTOCOL_VERSION, MeasurementProtocol

PerfProfile = Literal[
    "burst", "sustained_high_performance", "high_performance", "balanced", "low_balanced", "power_saver", "default"
]


class QnnMeasurement(MeasurementProtocol):
    """An HTP context binary timed by `qnn-net-run` on the phone.

    precision: weights are int8; activations int8 or, for `a16w8`, int16. socs: the SoC of device classes that are not
    named like one (`{lab-phones: SM8550}`).
    """

    runtime: Literal["qnn"]
    precision: Literal["int8", "a16w8"] = "int8"
    perf_profile: PerfProfile = "burst"
    socs: Mapping[str, str] = Field(default_factory=dict)

    @property
    def protocol_key(self) -> str:
        return f"{self.runtime}/{PROTOCOL_VERSION}/{self.perf_profile}"
