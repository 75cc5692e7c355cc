"""Settings of the runtime `snpe`: a network on a Snapdragon's Hexagon tensor processor, by Qualcomm's older SDK."""

from typing import Literal

from pydantic import Field

from paretofarm.measurement import PROTOCOL_VERSION
from paretofarm.runtimes.qnn import HtpCompilation, PerfProfile


class SnpeMeasurement(HtpCompilation):
    """A DLC timed by `snpe-net-run` on the phone; its graph is prepared for one chip.

    A block is of so many inferences, not of so many seconds: SNPE tells averages only, and every 50 inferences are a
    run of their own, which takes a moment to start. profiling_level: `detailed` keeps the time of each layer, and slows
    the network down. calibration: the SDK's quantizer takes the extremes.
    """

    runtime: Literal["snpe"]
    target: Literal["soc"] = "soc"
    min_block_s: float = Field(0.0, ge=0, le=600)
    calibration: Literal["minmax"] = "minmax"
    perf_profile: PerfProfile = "burst"
    profiling_level: Literal["basic", "moderate", "detailed"] = "basic"

    @property
    def protocol_key(self) -> str:
        return f"{self.runtime}/{PROTOCOL_VERSION}/{self.perf_profile}/{self.profiling_level}"
