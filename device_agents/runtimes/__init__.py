"""Device runtimes: one file each, one line here."""

from collections.abc import Mapping
from pathlib import Path

from device_agents.runtimes.command import CommandRuntime
from device_agents.runtimes.command_file import read_commands
from device_agents.runtimes.dsp_sdk import QnnSdk
from device_agents.runtimes.onnxruntime import BLOCK_TIMEOUT_S, OnnxRuntime
from device_agents.runtimes.port import BlockTimes, DeviceRuntime, Images, InstalledNetwork, Logits
from device_agents.runtimes.qnn import QnnRuntime
from device_agents.runtimes.qnn_sim import QnnSimRuntime
from device_agents.runtimes.snpe import SnpeRuntime
from device_agents.runtimes.snpe_sdk import SnpeSdk
from paretofarm.commands import COMMANDS, named_command
from paretofarm.errors import ConfigError
from paretofarm.phone_settings import BLOCK_TIMEOUT, positive
from paretofarm.runtimes import MeasurementSettings

__all__ = ["BlockTimes", "DeviceRuntime", "Images", "InstalledNetwork", "Logits", "device_runtime"]


def device_runtime(settings: MeasurementSettings, environment: Mapping[str, str]) -> DeviceRuntime:
    """The runtime that an experiment's `measurement.runtime` names, with this host's settings for it."""
    match settings.runtime:
        case "onnxruntime":
            return OnnxRuntime(
                settings,
                _path(environment, "PARETOFARM_ONNXRUNTIME_PERF_TEST"),
                _path(environment, "PARETOFARM_ONNXRUNTIME_RUN"),
                positive(environment, BLOCK_TIMEOUT, BLOCK_TIMEOUT_S),
            )
        case "qnn":
            return QnnRuntime(settings, QnnSdk.find(environment))
        case "qnn-sim":
            return QnnSimRuntime.of(settings, environment)
        case "snpe":
            return SnpeRuntime(settings, SnpeSdk.find(environment))
        case "command":
            command = named_command(read_commands(environment), settings.command, environment[COMMANDS])
            return CommandRuntime(settings, command)
        case "tabular":
            raise ConfigError("the runtime tabular has no use for a phone")


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    return Path(environment[name]) if environment.get(name) else None
