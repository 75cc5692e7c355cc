"""Device runtimes: one file each, one line here."""

from collections.abc import Mapping
from pathlib import Path

from device_agents.runtimes.onnxruntime import OnnxRuntime
from device_agents.runtimes.port import DeviceRuntime


def device_runtime(name: str, environment: Mapping[str, str]) -> DeviceRuntime:
    """The runtime that an experiment's `measurement.runtime` names, with this host's settings for it."""
    program = environment.get("PARETOFARM_ONNXRUNTIME_PERF_TEST")
    return {"onnxruntime": OnnxRuntime(Path(program) if program else None)}[name]


__all__ = ["DeviceRuntime", "device_runtime"]
