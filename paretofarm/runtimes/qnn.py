"""Settings of the runtime `qnn`: a network on the Hexagon tensor processor (HTP) of a Snapdragon, by Qualcomm's QNN."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator

from paretofarm.measurement import PROTOCOL_VERSION, MeasurementProtocol
from paretofarm.metrics import Metric
from paretofarm.objective import DeviceClass
from paretofarm.soc import SOCS, Soc, find_soc, named

PerfProfile = Literal[
    "burst", "sustained_high_performance", "high_performance", "balanced", "low_balanced", "power_saver", "default"
]


class HtpCompilation(MeasurementProtocol):
    """What compiling for a Hexagon tensor processor needs to know.

    precision: weights are int8; activations uint8 or, for `a16w8`, uint16. socs: the SoC of device classes that are not
    named like one (`{lab-phones: SM8550}`). target: contexts for one `soc`, each with the one for its
    architecture, in case a phone refuses it (error 1002); or only for the `arch`: those are a little slower.
    """

    precision: Literal["int8", "a16w8"] = "int8"
    socs: Mapping[DeviceClass, str] = Field(default_factory=dict)
    target: Literal["soc", "arch"] = "soc"

    @field_validator("socs")
    @classmethod
    def _known(cls, socs: Mapping[str, str]) -> Mapping[str, str]:
        for device, name in socs.items():
            if find_soc(name) is None:
                raise ValueError(f"unknown SoC {name!r} of {device}; known are {named(SOCS)}")
        return socs

    def soc(self, device: str) -> Soc | None:
        """The chip of a device class; None where neither its name nor `socs` tells."""
        return find_soc(self.socs.get(device, device))

    def objection(self, device: str, metric: Metric) -> str | None:
        if self.soc(device) is None:
            return (
                f"device class {device} is no known SoC: name it in measurement.socs, e.g. {{{device}: SM8550}}; "
                f"known are {named(SOCS)}"
            )
        return super().objection(device, metric)


class QnnMeasurement(HtpCompilation):
    """An HTP context binary timed by `qnn-net-run` on the phone."""

    runtime: Literal["qnn"]
    perf_profile: PerfProfile = "burst"

    @property
    def protocol_key(self) -> str:
        return f"{self.runtime}/{PROTOCOL_VERSION}/{self.perf_profile}"
