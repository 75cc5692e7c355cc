"""Device runtimes: one file each, one line here."""

from collections.abc import Mapping
from pathlib import Path

from device_agents.runtimes.onnxruntime import OnnxRuntime
from device_agents.runtimes.port import BlockTimes, DeviceRuntime, Images, InstalledNetwork, Logits
from paretofarm.errors import ConfigError
from paretofarm.runtimes import MeasurementSettings

__all__ = ["BlockTimes", "DeviceRuntime", "Images", "InstalledNetwork", "Logits", "device_runtime"]


def device_runtime(settings: MeasurementSettings, environment: Mapping[str, str]) -> DeviceRuntime:
    """The runtime that an experiment's `measurement.runtime` names, with this host's settings for it."""
    match settings.runtime:
        case "onnxruntime":
            program = environment.get("PARETOFARM_ONNXRUNTIME_PERF_TEST")
            return OnnxRuntime(settings, Path(program) if program else None)
        case "qnn":
            raise ConfigError("this agent has no runtime qnn")
