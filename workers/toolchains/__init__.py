"""One compiler per device runtime; `measurement.runtime` of an experiment file chooses."""

from paretofarm.errors import ConfigError
from paretofarm.runtimes import MeasurementSettings
from workers.toolchains.onnxruntime import OnnxRuntimeToolchain
from workers.toolchains.port import CompiledNetwork, Image, Toolchain

__all__ = ["CompiledNetwork", "Image", "Toolchain", "toolchain"]


def toolchain(settings: MeasurementSettings) -> Toolchain:
    """The compiler for these settings: the one place that grows with a new runtime."""
    match settings.runtime:
        case "onnxruntime":
            return OnnxRuntimeToolchain(settings)
        case "qnn":
            raise ConfigError("this worker has no toolchain qnn")
