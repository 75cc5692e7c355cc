"""The device runtimes that an experiment file can name. A new one is a file beside these and a line in the union,
a toolchain (`workers/toolchains`) and a runner (`device_agents/runtimes`)."""

from typing import Annotated

from pydantic import Field

from paretofarm.runtimes.command import CommandMeasurement
from paretofarm.runtimes.onnxruntime import OnnxRuntimeMeasurement
from paretofarm.runtimes.qnn import QnnMeasurement
from paretofarm.runtimes.qnn_sim import QnnSimMeasurement
from paretofarm.runtimes.snpe import SnpeMeasurement
from paretofarm.runtimes.tabular import TabularMeasurement

MeasurementSettings = Annotated[
    OnnxRuntimeMeasurement
    | QnnMeasurement
    | QnnSimMeasurement
    | SnpeMeasurement
    | CommandMeasurement
    | TabularMeasurement,
    Field(discriminator="runtime"),
]

__all__ = [
    "CommandMeasurement",
    "MeasurementSettings",
    "OnnxRuntimeMeasurement",
    "QnnMeasurement",
    "QnnSimMeasurement",
    "SnpeMeasurement",
    "TabularMeasurement",
]
