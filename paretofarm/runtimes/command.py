"""Settings of the runtime `command`: a runner of the operator's own (`paretofarm.commands`)."""

from typing import Literal

from pydantic import Field

from paretofarm.commands import NAME_PATTERN
from paretofarm.measurement import PROTOCOL_VERSION, MeasurementProtocol


class CommandMeasurement(MeasurementProtocol):
    """A network timed by the command of that name in the file of commands on workers and agents.

    precision: of the ONNX network that is given to the command's conversion, or to the phone where it has none.
    """

    runtime: Literal["command"]
    command: str = Field(pattern=NAME_PATTERN)
    precision: Literal["int8", "fp32"] = "int8"
    threads: int = Field(1, ge=1, le=64)

    @property
    def protocol_key(self) -> str:
        return f"{self.runtime}/{PROTOCOL_VERSION}/{self.command}/threads={self.threads}"
