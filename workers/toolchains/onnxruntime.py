"""Networks for onnxruntime on a phone's CPU: static int8 in QDQ form (uint8 activations, int8 weights per channel)."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
import onnx
from onnxruntime import InferenceSession
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry
from onnxruntime.quantization.shape_inference import quant_pre_process

from paretofarm.errors import ConversionFailed
from paretofarm.runtimes import OnnxRuntimeMeasurement
from workers.memory import first_line
from workers.quiet import quiet
from workers.session import INPUT, OnnxRuntimeErrors, infer, open_session
from workers.toolchains.port import CompiledNetwork, Image

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
    """`precision: fp32` copies the network, `int8` quantizes it with the calibration images (MinMax)."""

    settings: OnnxRuntimeMeasurement

    def compile(self, onnx: Path, calibration: Iterable[Image], device: str, out: Path) -> CompiledNetwork:
        if self.settings.precision == "fp32":
            shutil.copyfile(onnx, out)
            notes: dict[str, float | str] = {"precision": "fp32"}
        else:
            images = iter(calibration)
            first = list(islice(images, AGREEMENT_IMAGES))
            if not first:
                raise ConversionFailed("int8 needs at least one calibration image")
            _quantize(onnx, chain(first, images), out)
            notes = {"precision": "int8", "int8_agreement": _agreement(onnx, out, first)}
        return CompiledNetwork(out, {"network_bytes": float(out.stat().st_size)}, notes)


class _Calibration(CalibrationDataReader):
    """onnxruntime pulls the images one by one."""

    def __init__(self, images: Iterable[Image]) -> None:
        self._images: Iterator[Image] = iter(images)

    def get_next(self) -> dict[str, Image] | None:
        image = next(self._images, None)
        return None if image is None else {INPUT: image}


def _quantize(source: Path, images: Iterable[Image], out: Path) -> None:
    _require_known_ops(source)
    with tempfile.TemporaryDirectory(prefix="quantize-") as folder:
        prepared, quantized, as_run = (Path(folder, name) for name in ("prepared.onnx", "int8.onnx", "as_run.onnx"))
        try:
            # Both warn through the root logger, about steps that are taken here or not wanted.
            with quiet(""):
                quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
                _quantize_static(prepared, quantized, images)
        except _QuantizerErrors as error:
            raise ConversionFailed(f"onnxruntime cannot quantize the network: {first_line(error)}") from error
        _session(quantized, as_run)
        _require_int8(as_run)
        shutil.copyfile(quantized, out)


def _require_known_ops(source: Path) -> None:
    """A clear refusal before onnxruntime would quietly leave an op in float."""
    for node in onnx.load(source, load_external_data=False).graph.node:
        if node.op_type not in INT8_OPS | FLOAT_OPS:
            raise ConversionFailed(f"op {node.op_type} (node {node.name}) cannot be quantized to int8")


def _quantize_static(prepared: Path, quantized: Path, images: Iterable[Image]) -> None:
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
    )


def _require_int8(as_run: Path) -> None:
    """Looks at the graph as onnxruntime has optimized it: a weighty op is a QLinear one there, or slow float."""
    for node in onnx.load(as_run).graph.node:
        if node.op_type in WEIGHTY_OPS:
            raise ConversionFailed(f"op {node.op_type} (node {node.name}) stays in float after quantization to int8")


def _agreement(before: Path, after: Path, images: list[Image]) -> float:
    """Share of pixels that get the same class from both networks."""
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
