"""Settings of the runtime `qnn-sim`: the HTP's simulator on an x86 host, for deployability and accuracy."""

from typing import Literal

from paretofarm.measurement import PROTOCOL_VERSION
from paretofarm.metrics import Metric, Source
from paretofarm.runtimes.qnn import HtpCompilation


class QnnSimMeasurement(HtpCompilation):
    """The HTP context binary of the runtime `qnn`, run by Qualcomm's x86 simulator. It has no latency."""

    runtime: Literal["qnn-sim"]

    @property
    def simulated(self) -> bool:
        return True

    @property
    def protocol_key(self) -> str:
        return f"{self.runtime}/{PROTOCOL_VERSION}"

    def objection(self, device: str, metric: Metric) -> str | None:
        if metric.source is Source.MEASURE:
            return f"{metric.name}@{device}: a simulator has no latency; measure it with runtime qnn on a phone"
        return super().objection(device, metric)
