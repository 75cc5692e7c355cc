"""What every device runtime's compiler offers: from a float ONNX network to what is pushed to a phone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from paretofarm.calibration import CalibrationResult
from workers.toolchains.held_out import HeldOut

Image = npt.NDArray[np.float32]
"""A calibration input [1, 3, H, W] in [0, 1], as the network takes it."""


class Images(Protocol):
    """Calibration images, which may be gone through more than once."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Image]: ...


@dataclass(frozen=True)
class CompiledNetwork:
    """A network as a phone takes it.

    metrics: named as in `paretofarm.metrics`; notes: what else is worth keeping (`int8_agreement`: share of pixels
    whose class is the same before and after quantization). reference: the reference network in the same form, where it
    has to be compiled for the device class. calibration: what decided the ranges of a trained network's activations.
    """

    path: Path
    metrics: Mapping[str, float]
    notes: Mapping[str, float | str] = field(default_factory=dict)
    reference: Path | None = None
    calibration: CalibrationResult | None = None


class Toolchain(Protocol):
    """Quantizes and compiles for one runtime, under the settings of one experiment; needs no phone.

    Same input, same bytes.
    """

    def compile(
        self, onnx: Path, calibration: Images, device: str, out: Path, held_out: HeldOut | None = None
    ) -> CompiledNetwork:
        """Writes `out`, and what else it has to beside it. device: the device class.

        held_out: given for a trained network, of which calibrations are then compared, where the runtime can choose.

        `ConversionFailed` names the op and the node that cannot be quantized, `NotDeployable` those that the device
        cannot have.
        """
