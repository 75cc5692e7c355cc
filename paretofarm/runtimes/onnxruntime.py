"""Settings of the runtime `onnxruntime`: an ONNX network on the phone's CPU."""

from typing import Literal

from pydantic import Field

from paretofarm.measurement import PROTOCOL_VERSION, MeasurementProtocol


class OnnxRuntimeMeasurement(MeasurementProtocol):
    """An ONNX network timed by onnxruntime on the phone's CPU; int8 networks are calibrated on `calibration_images`."""

    runtime: Literal["onnxruntime"]
    precision: Literal["int8", "fp32"] = "int8"
    threads: int = Field(1, ge=1, le=64)

    @property
    def protocol_key(self) -> str:
        return f"{self.runtime}/{PROTOCOL_VERSION}/threads={self.threads}"
