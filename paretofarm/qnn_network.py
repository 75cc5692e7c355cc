"""A network as compiled for a Hexagon tensor processor: what goes in and comes out of it, in the form it wants.

The file is a zip of `context.bin` (Qualcomm's context binary), `interface.json` (this module) and, where onnxruntime
made it, `context.onnx`, by which onnxruntime runs that same binary in the simulator. Beside a context for one SoC lies
`context-arch.bin`, for a phone that refuses it.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError

from paretofarm.errors import ConfigError
from paretofarm.strict import Strict

CONTEXT = "context.bin"
GENERAL_CONTEXT = "context-arch.bin"
"""For all chips of the architecture, beside one for a SoC alone, which phones may refuse."""
INTERFACE = "interface.json"
WRAPPER = "context.onnx"

NativeType = Literal["uint8", "uint16"]
Native = npt.NDArray[Any]
"""uint8 or uint16, batch first, channels last."""
Floats = npt.NDArray[np.float32]
"""Batch first, channels second, as the float network has them."""


class QnnTensor(Strict):
    """One input or output: channels last, quantized. A number n in it stands for (n + offset) · scale.

    shape: of one inference, (1, height, width, channels).
    """

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    shape: tuple[int, int, int, int]
    layout: Literal["NHWC"] = "NHWC"
    dtype: NativeType
    scale: float = Field(gt=0)
    offset: int = Field(le=0)

    @property
    def size_bytes(self) -> int:
        """Of one inference."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def to_native(self, images: Floats) -> Native:
        """Quantizes images [N, C, H, W]; what is out of range is cut off."""
        self._require(images.shape[1:])
        levels = np.rint(images.transpose(0, 2, 3, 1) / self.scale) - self.offset
        return np.ascontiguousarray(levels.clip(0, np.iinfo(self.dtype).max).astype(self.dtype))

    def from_native(self, values: bytes) -> Floats:
        """Dequantizes the bytes of N inferences to [N, C, H, W]."""
        if len(values) % self.size_bytes:
            raise ConfigError(f"{self.name}: {len(values)} bytes are not a multiple of {self.size_bytes}")
        levels = np.frombuffer(values, self.dtype).reshape(-1, *self.shape[1:]).astype(np.float32)
        return np.ascontiguousarray(((levels + self.offset) * self.scale).transpose(0, 3, 1, 2), dtype=np.float32)

    def _require(self, shape: tuple[int, ...]) -> None:
        _, height, width, channels = self.shape
        if shape != (channels, height, width):
            raise ConfigError(f"{self.name} takes images {(channels, height, width)}, not {shape}")


class QnnInterface(Strict):
    """What a compiled network takes and gives, for which chip and by which compiler it was made.

    agreement: share of pixels whose class is the same before and after quantization, where it was looked at.
    """

    input: QnnTensor
    output: QnnTensor
    soc: str
    arch: int
    stamped: bool = Field(description="only for this SoC, not for all of its architecture")
    precision: Literal["int8", "a16w8"]
    qnn_version: str
    agreement: float | None = None

    def to_json(self) -> bytes:
        """The same interface gives the same bytes."""
        return self.model_dump_json(indent=1).encode()


def parse_interface(text: bytes | str, source: str) -> QnnInterface:
    """ConfigError names the source where the text is no interface."""
    try:
        return QnnInterface.model_validate_json(text)
    except ValidationError as error:
        raise ConfigError(f"{source}: {INTERFACE} is not readable: {error.errors()[0]['msg']}") from error


def parse_context_info(document: Mapping[str, Any]) -> tuple[QnnTensor, QnnTensor]:
    """Input and output from what `qnn-context-binary-utility --json_file` of Qualcomm's SDK writes."""
    try:
        (graph,) = document["info"]["graphs"]
        ((given,), (taken,)) = graph["info"]["graphInputs"], graph["info"]["graphOutputs"]
        return _tensor(given["info"]), _tensor(taken["info"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"qnn-context-binary-utility tells no single quantized input and output: {error}") from error


def _tensor(info: Mapping[str, Any]) -> QnnTensor:
    encoding = info["quantizeParams"]["scaleOffset"]
    dtypes: Mapping[str, NativeType] = {
        "QNN_DATATYPE_UFIXED_POINT_8": "uint8",
        "QNN_DATATYPE_UFIXED_POINT_16": "uint16",
    }
    return QnnTensor(
        name=info["name"],
        shape=tuple(info["dimensions"]),
        dtype=dtypes[info["dataType"]],
        scale=encoding["scale"],
        offset=encoding["offset"],
    )
