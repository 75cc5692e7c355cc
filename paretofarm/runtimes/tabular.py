"""Settings of the runtime `tabular`: latencies that somebody measured before, in a table (`paretofarm.table`)."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from paretofarm.measurement import PROTOCOL_VERSION, MeasurementProtocol
from paretofarm.metrics import Metric, Source
from paretofarm.objective import DeviceClass
from paretofarm.table_settings import Column, TableSource

MEASURED = ("latency_ms", "latency_p90_ms")
VIRTUAL = "virtual"


class TabularMeasurement(MeasurementProtocol, TableSource):
    """What a table says instead of a phone; everything that comes of it is simulated.

    latency_ms: per device class the column of its latencies. noise: by how much single inferences scatter around that
    (log-normal), so that intervals are what they would be.
    """

    runtime: Literal["tabular"]
    latency_ms: Annotated[Mapping[DeviceClass, Column], Field(min_length=1)]
    noise: float = Field(0.0, ge=0, le=0.5)
    min_inferences: int = Field(10, ge=3, le=1_000_000)
    min_block_s: float = Field(0.0, ge=0, le=600)

    @property
    def simulated(self) -> bool:
        return True

    @property
    def protocol_key(self) -> str:
        return f"{self.runtime}/{PROTOCOL_VERSION}/noise={self.noise:g}"

    def objection(self, device: str, metric: Metric) -> str | None:
        if device != VIRTUAL and not device.startswith(f"{VIRTUAL}-"):
            return f"{device} may not pass for a phone: its device class must be virtual or virtual-…"
        if metric.source is Source.MEASURE and metric.name not in MEASURED:
            return f"{metric.name}@{device}: a table tells {' and '.join(MEASURED)} only"
        if metric.source in (Source.COMPILE, Source.SCORE):
            return f"{metric.name}@{device}: there is no network to compile or to score"
        if device not in self.latency_ms:
            return f"name the column of {device} in measurement.latency_ms"
        return super().objection(device, metric)
