"""One compiler per device runtime; `measurement.runtime` of an experiment file chooses."""

from collections.abc import Mapping
from pathlib import Path

from paretofarm.commands import COMMANDS, named_command
from paretofarm.errors import ConfigError
from paretofarm.runtimes import MeasurementSettings
from workers.toolchains.command import CommandToolchain
from workers.toolchains.command_file import read_commands
from workers.toolchains.held_out import HeldOut
from workers.toolchains.onnxruntime import OnnxRuntimeToolchain
from workers.toolchains.port import CompiledNetwork, Image, Images, Toolchain
from workers.toolchains.qnn import QnnToolchain
from workers.toolchains.snpe import SnpeToolchain
from workers.toolchains.snpe_tools import SnpeTools

__all__ = ["CompiledNetwork", "HeldOut", "Image", "Images", "Toolchain", "toolchain"]


def toolchain(settings: MeasurementSettings, environment: Mapping[str, str], cache: Path) -> Toolchain:
    """The compiler for these settings: the one place that grows with a new runtime.

    environment: this host's settings (where SDKs are). cache: a folder of this host's for what is made once.
    """
    match settings.runtime:
        case "onnxruntime":
            return OnnxRuntimeToolchain(settings)
        case "qnn" | "qnn-sim":
            return QnnToolchain(settings, environment, cache)
        case "snpe":
            return SnpeToolchain(settings, SnpeTools.find(environment), cache)
        case "command":
            command = named_command(read_commands(environment), settings.command, environment[COMMANDS])
            return CommandToolchain(settings, command, environment, cache)
        case "tabular":
            raise ConfigError("the runtime tabular has no networks to compile")
