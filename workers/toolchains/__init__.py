"""One compiler per device runtime; `measurement.runtime` of an experiment file chooses."""

from paretofarm.measurement import MeasurementSettings
from workers.toolchains.onnxruntime import OnnxRuntimeToolchain
from workers.toolchains.port import CompiledNetwork, Image, Toolchain

__all__ = ["CompiledNetwork", "Image", "Toolchain", "toolchain"]


def toolchain(settings: MeasurementSettings) -> Toolchain:
    """The compiler for these settings: the one place that grows with a new runtime."""
    match settings.runtime:
        case "onnxruntime":
            return OnnxRuntimeToolchain()
