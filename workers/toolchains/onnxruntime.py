"""Networks for onnxruntime on a phone's CPU: static int8 in QDQ form (uint8 activations, int8 weights per channel)."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime import InferenceSession
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry
from onnxruntime.quantization.shape_inference import quant_pre_process

from paretofarm.calibration import CalibrationResult, methods
from paretofarm.errors import ConversionFailed
from paretofarm.runtimes import OnnxRuntimeMeasurement
from workers.memory import first_line
from workers.quiet import quiet
from workers.scored_images import Predictor
from workers.session import INPUT, OnnxRuntimeErrors, infer, open_session
from workers.toolchains.comparison import compare
from workers.toolchains.held_out import HeldOut
from workers.toolchains.port import CompiledNetwork, Image, Images
from workers.toolchains.ranges import Ranges, overrides

# Bilinear Resize stays in float between int8 neighbours: on the CPU its uint8 kernel made whole networks 25-30 %
# slower, and quantizing its result with its input's range 5 % (64 px and 128 px, 8 to 32 base channels).
FLOAT_OPS = frozenset({"Resize", "ReduceMean", "HardSigmoid", "HardSwish", "Identity", "Constant", "Shape", "Cast"})
INT8_OPS = frozenset({*QDQRegistry, *QLinearOpsRegistry}) - FLOAT_OPS
WEIGHTY_OPS = frozenset({"Conv", "FusedConv", "ConvTranspose", "Gemm", "FusedGemm", "MatMul", "FusedMatMul"})
"""Ops whose arithmetic is the point of int8: none may be left in float."""

AGREEMENT_IMAGES = 8

# The quantizer is Python, and asserts what it does not expect in a network.
_QuantizerErrors: tuple[type[Exception], ...] = (*OnnxRuntimeErrors, TypeError, KeyError, AssertionError)


@dataclass(frozen=True)
class OnnxRuntimeToolchain:
    """`precision: fp32` copies the network, `int8` quantizes it with the calibration images.

    Activations are in the ranges of their extremes (MinMax), where no held-out images tell what is better.
    """

    settings: OnnxRuntimeMeasurement

    def compile(
        self, onnx: Path, calibration: Images, device: str, out: Path, held_out: HeldOut | None = None
    ) -> CompiledNetwork:
        result = None
        if self.settings.precision == "fp32":
            shutil.copyfile(onnx, out)
            notes: dict[str, float | str] = {"precision": "fp32"}
        else:
            images = iter(calibration)
            first = list(islice(images, AGREEMENT_IMAGES))
            if not first:
                raise ConversionFailed("int8 needs at least one calibration image")
            if held_out is None:
                _quantize(onnx, chain(first, images), out)
            else:
                result = self._calibrate(onnx, calibration, out, held_out)
            notes = {"precision": "int8", "int8_agreement": _agreement(onnx, out, first)}
        return CompiledNetwork(out, {"network_bytes": float(out.stat().st_size)}, notes, calibration=result)

    def _calibrate(self, source: Path, images: Images, out: Path, held_out: HeldOut) -> CalibrationResult:
        """Quantizes with the calibration that serves best."""
        with _prepared(source) as prepared, _explained():
            quantization = _Int8(prepared, next(iter(images)))
            tried = methods(self.settings.calibration)
            layers = self.settings.layer_sensitivity
            kept = compare(quantization, images, tried, held_out, prepared.parent, layers=layers)
            _accept(kept.network, out)
        return kept.result


@dataclass(frozen=True)
class _Int8:
    """A prepared network, which is quantized with ranges of ours. any_image: the quantizer insists on one."""

    prepared: Path
    any_image: Image
    levels: int = 256
    class_axis: int = 1

    def given(self, image: Image) -> Image:
        return image

    def quantize(self, ranges: Ranges, out: Path) -> None:
        with quiet(""):
            _quantize_static(self.prepared, out, [self.any_image], overrides(ranges))

    def float_predictor(self) -> Predictor:
        return self.predictor(self.prepared)

    def predictor(self, quantized: Path) -> Predictor:
        return partial(infer, open_session(quantized))


class _Calibration(CalibrationDataReader):
    """onnxruntime pulls the images one by one."""

    def __init__(self, images: Iterable[Image]) -> None:
        self._images: Iterator[Image] = iter(images)

    def get_next(self) -> dict[str, Image] | None:
        image = next(self._images, None)
        return None if image is None else {INPUT: image}


def _quantize(source: Path, images: Iterable[Image], out: Path) -> None:
    with _prepared(source) as prepared:
        quantized = prepared.with_name("int8.onnx")
        with _explained(), quiet(""):
            _quantize_static(prepared, quantized, images)
        _accept(quantized, out)


@contextmanager
def _prepared(source: Path) -> Iterator[Path]:
    """The network as the quantizer likes it, in a folder that goes with it."""
    _require_known_ops(source)
    with tempfile.TemporaryDirectory(prefix="quantize-") as folder:
        prepared = Path(folder, "prepared.onnx")
        with _explained(), quiet(""):
            quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        yield prepared


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except _QuantizerErrors as error:
        raise ConversionFailed(f"onnxruntime cannot quantize the network: {first_line(error)}") from error


def _accept(quantized: Path, out: Path) -> None:
    """Copies what will run in int8."""
    as_run = quantized.with_name("as_run.onnx")
    _session(quantized, as_run)
    _require_int8(as_run)
    shutil.copyfile(quantized, out)


def _require_known_ops(source: Path) -> None:
    """A clear refusal before onnxruntime would quietly leave an op in float."""
    for node in onnx.load(source, load_external_data=False).graph.node:
        if node.op_type not in INT8_OPS | FLOAT_OPS:
            raise ConversionFailed(f"op {node.op_type} (node {node.name}) cannot be quantized to int8")


def _quantize_static(
    prepared: Path, quantized: Path, images: Iterable[Image], overriding: Mapping[str, Any] | None = None
) -> None:
    """overriding: ranges of all activations; without them they are the extremes over the images."""
    quantize_static(
        str(prepared),
        str(quantized),
        _Calibration(images),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=sorted(INT8_OPS),
        per_channel=True,
        weight_type=QuantType.QInt8,
        activation_type=QuantType.QUInt8,
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={"TensorQuantOverrides": overriding} if overriding else None,
    )


def _require_int8(as_run: Path) -> None:
    """Looks at the graph as onnxruntime has optimized it: a weighty op is a QLinear one there, or slow float."""
    for node in onnx.load(as_run).graph.node:
        if node.op_type in WEIGHTY_OPS:
            raise ConversionFailed(f"op {node.op_type} (node {node.name}) stays in float after quantization to int8")


def _agreement(before: Path, after: Path, images: list[Image]) -> float:
    """Share of pixels, or images, that get the same class from both networks."""
    sessions = [_session(path) for path in (before, after)]
    same: list[float] = []
    for image in images:
        expected, actual = (infer(session, image) for session in sessions)
        if expected.shape != actual.shape:
            raise ConversionFailed(f"quantization changed the output from {expected.shape} to {actual.shape}")
        same.append(float(np.mean(expected.argmax(axis=1) == actual.argmax(axis=1))))
    return float(np.mean(same))


def _session(path: Path, optimized: Path | None = None) -> InferenceSession:
    try:
        return open_session(path, optimized)
    except OnnxRuntimeErrors as error:
        raise ConversionFailed(f"onnxruntime does not load the network: {first_line(error)}") from error
