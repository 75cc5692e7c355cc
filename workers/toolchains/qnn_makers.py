"""The two ways to a context binary: the compiler in the wheel, and that in the user's SDK."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from paretofarm.qnn_network import CONTEXT, GENERAL_CONTEXT, QnnTensor
from workers.toolchains.htp_compiler import HtpTarget, compile_context
from workers.toolchains.qnn_calibration import CalibrationFiles
from workers.toolchains.qnn_quantization import agreement, interface_of, quantize_for_htp
from workers.toolchains.qnn_wheel import QnnWheel
from workers.toolchains.ranges import Ranges


@dataclass(frozen=True)
class Made:
    """members: of the package, beside its interface. agreement: with the float network, where it is known."""

    members: Mapping[str, Path]
    input: QnnTensor
    output: QnnTensor
    agreement: float | None


class ContextMaker(Protocol):
    """From a float network to a context binary. The same input gives the same bytes."""

    @property
    def qnn_version(self) -> str:
        """Of QNN: a phone's must not be older."""

    @property
    def identity(self) -> str:
        """Whatever else its results depend on, for the cache."""

    @property
    def takes_ranges(self) -> bool:
        """Whether the ranges of activations can be given to it."""

    def make(
        self,
        source: Path,
        calibration: CalibrationFiles,
        precision: str,
        target: HtpTarget,
        folder: Path,
        ranges: Ranges | None,
    ) -> Made:
        """folder: for its files, which exist until the caller is done. ranges: of activations; None: their extremes.

        Errors as of `Toolchain.compile`.

        With a context for one SoC comes the one for its architecture.
        """


@dataclass(frozen=True)
class WheelMaker:
    """onnxruntime quantizes, the wheel's compiler compiles."""

    wheel: QnnWheel
    onnxruntime_version: str
    environment: Mapping[str, str]

    @property
    def qnn_version(self) -> str:
        return self.wheel.qnn_version

    @property
    def identity(self) -> str:
        return f"onnxruntime-qnn {self.wheel.version}, onnxruntime {self.onnxruntime_version}"

    @property
    def takes_ranges(self) -> bool:
        return True

    def make(
        self,
        source: Path,
        calibration: CalibrationFiles,
        precision: str,
        target: HtpTarget,
        folder: Path,
        ranges: Ranges | None,
    ) -> Made:
        quantized, job = folder / "quantized.onnx", folder / "compile"
        job.mkdir()
        quantize_for_htp(source, calibration, precision, quantized, ranges)
        members = dict(compile_context(quantized, target, self.wheel, job, self.environment))
        if target.stamped:
            other = folder / "compile-arch"
            other.mkdir()
            general = compile_context(quantized, target.general, self.wheel, other, self.environment)
            members[GENERAL_CONTEXT] = general[CONTEXT]
        return Made(members, *interface_of(quantized), agreement(source, quantized, calibration))
