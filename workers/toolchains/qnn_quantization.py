"""Quantizes a float network for a Hexagon tensor processor: QDQ form, integers with channels last at both ends.

Left as the quantizer makes it, a network begins with quantizing and transposing float images, on the chip, in the
latency. Here those are the application's, as they are in a product, and the chip gets what a camera pipeline has.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize
from onnxruntime.quantization.execution_providers.qnn import get_qnn_qdq_config, qnn_preprocess_model

from paretofarm.calibration import CalibrationResult
from paretofarm.errors import ConversionFailed
from paretofarm.qnn_network import QnnTensor
from workers.memory import first_line
from workers.quiet import quiet
from workers.scored_images import Predictor
from workers.session import INPUT, OUTPUT, OnnxRuntimeErrors, infer, open_session
from workers.toolchains.comparison import compare
from workers.toolchains.held_out import HeldOut
from workers.toolchains.port import Image, Images
from workers.toolchains.qnn_calibration import CalibrationFiles
from workers.toolchains.ranges import Ranges, overrides

Found = TypeVar("Found")

AGREEMENT_IMAGES = 8
ACTIVATIONS = {"int8": QuantType.QUInt8, "a16w8": QuantType.QUInt16}

# The quantizer is Python, and asserts what it does not expect in a network.
_QuantizerErrors: tuple[type[Exception], ...] = (
    *OnnxRuntimeErrors, TypeError, KeyError, AssertionError, AttributeError, IndexError,
)  # fmt: skip


def channels_last(source: Path, out: Path) -> None:
    """The float network with images and logits of channels last."""
    with _explained(), quiet(""):
        qnn_preprocess_model(
            str(source), str(out), inputs_to_make_channel_last=[INPUT], outputs_to_make_channel_last=[OUTPUT]
        )


def quantize_for_htp(
    source: Path, calibration: CalibrationFiles, precision: str, out: Path, ranges: Ranges | None = None
) -> None:
    """Weights int8 per channel, activations uint8 or (`a16w8`) uint16.

    ranges: of the activations; without them they are the extremes over the images (MinMax).
    """
    with TemporaryDirectory(prefix="quantize-") as folder:
        prepared = Path(folder, "prepared.onnx")
        channels_last(source, prepared)
        _quantize(prepared, calibration.images(), precision, out, ranges)


def compare_for_htp(
    source: Path, images: Images, precision: str, tried: Sequence[str], held_out: HeldOut, *, layers: bool
) -> tuple[Ranges, CalibrationResult]:
    """Calibrations of a trained network, each judged by the network it gives, run on the CPU."""
    with TemporaryDirectory(prefix="calibrate-") as folder, _explained():
        prepared = Path(folder, "prepared.onnx")
        channels_last(source, prepared)
        quantization = _HtpQuantization(prepared, next(iter(images)), precision)
        kept = compare(quantization, images, tried, held_out, Path(folder), layers=layers)
    return kept.ranges, kept.result


def interface_of(network: Path) -> tuple[QnnTensor, QnnTensor]:
    """Input and output of a network as `quantize_for_htp` writes it."""
    graph = onnx.load(network).graph
    dequantize, quantize_last = _reader(graph, INPUT), _producer(graph, OUTPUT)
    return _tensor(graph, graph.input[0], dequantize), _tensor(graph, graph.output[0], quantize_last)


def agreement(before: Path, after: Path, calibration: CalibrationFiles) -> float:
    """Share of pixels that get the same class from the float network and from the quantized one, both on the CPU."""
    image_of, logits_of = interface_of(after)
    with _explained():
        expected, actual = open_session(before), open_session(after)
        same: list[float] = []
        for image, _ in zip(calibration.images(), range(AGREEMENT_IMAGES), strict=False):
            planes = np.ascontiguousarray(image.transpose(0, 3, 1, 2))
            levels = actual.run([OUTPUT], {INPUT: image_of.to_native(planes)})[0]
            classes = expected.run([OUTPUT], {INPUT: planes})[0].argmax(axis=1)
            same.append(float(np.mean(classes == logits_of.from_native(levels.tobytes()).argmax(axis=1))))
    return float(np.mean(same))


class _Calibration(CalibrationDataReader):
    """onnxruntime pulls the images one by one."""

    def __init__(self, images: Iterator[Image]) -> None:
        self._images = images

    def get_next(self) -> dict[str, Image] | None:
        image = next(self._images, None)
        return None if image is None else {INPUT: image}


@dataclass(frozen=True)
class _HtpQuantization:
    """any_image: onnxruntime's quantizer insists on one."""

    prepared: Path
    any_image: Image
    precision: str
    class_axis: int = -1

    @property
    def levels(self) -> int:
        return {"int8": 2**8, "a16w8": 2**16}[self.precision]

    def given(self, image: Image) -> Image:
        return np.ascontiguousarray(image.transpose(0, 2, 3, 1))

    def quantize(self, ranges: Ranges, out: Path) -> None:
        _quantize(self.prepared, iter([self.given(self.any_image)]), self.precision, out, ranges)

    def float_predictor(self) -> Predictor:
        session = open_session(self.prepared)
        return lambda image: infer(session, self.given(image)).transpose(0, 3, 1, 2)

    def predictor(self, quantized: Path) -> Predictor:
        image_of, logits_of = interface_of(quantized)
        session = open_session(quantized)
        return lambda image: logits_of.from_native(infer(session, image_of.to_native(image)).tobytes())


def _quantize(prepared: Path, images: Iterator[Image], precision: str, out: Path, ranges: Ranges | None) -> None:
    with _explained(), quiet(""):
        config = get_qnn_qdq_config(
            str(prepared),
            _Calibration(images),
            activation_type=ACTIVATIONS[precision],
            weight_type=QuantType.QInt8,
            per_channel=True,
            init_overrides=None if ranges is None else overrides(ranges),
        )
        # Otherwise what moves pixels before the first convolution (a Resize at the entrance) stays in float.
        config.extra_options["ForceQuantizeNoInputCheck"] = True
        quantized = out.with_name(f"{out.name}.qdq")
        quantize(str(prepared), str(quantized), config)
        model = onnx.load(quantized)
        quantized.unlink()
    _make_native(model.graph)
    out.write_bytes(model.SerializeToString(deterministic=True))


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except _QuantizerErrors as error:
        raise ConversionFailed(f"onnxruntime cannot quantize the network: {first_line(error)}") from error


def _make_native(graph: onnx.GraphProto) -> None:
    """Integers at both ends, in place: the first quantization and the last dequantization become the application's."""
    first, last = _reader(graph, INPUT), _producer(graph, OUTPUT)
    if (first.op_type, last.op_type) != ("QuantizeLinear", "DequantizeLinear"):
        raise ConversionFailed(
            f"the network's ends cannot be integers: it begins with {first.op_type}, ends with {last.op_type}"
        )
    dequantize, quantize_last = _reader(graph, first.output[0]), _producer(graph, last.input[0])
    dequantize.input[0], quantize_last.output[0] = INPUT, OUTPUT
    graph.node.remove(first)
    graph.node.remove(last)
    for value, node in ((graph.input[0], dequantize), (graph.output[0], quantize_last)):
        value.type.tensor_type.elem_type = _initializer(graph, node.input[2]).data_type


def _tensor(graph: onnx.GraphProto, value: onnx.ValueInfoProto, node: onnx.NodeProto) -> QnnTensor:
    scale, zero_point = (numpy_helper.to_array(_initializer(graph, name)) for name in node.input[1:3])
    return QnnTensor(
        name=value.name,
        shape=tuple(dimension.dim_value for dimension in value.type.tensor_type.shape.dim),
        dtype=zero_point.dtype.name,
        scale=float(scale),
        offset=-int(zero_point),
    )


def _reader(graph: onnx.GraphProto, name: str) -> onnx.NodeProto:
    node: onnx.NodeProto = _only([node for node in graph.node if name in node.input], f"reader of {name}")
    return node


def _producer(graph: onnx.GraphProto, name: str) -> onnx.NodeProto:
    node: onnx.NodeProto = _only([node for node in graph.node if name in node.output], f"producer of {name}")
    return node


def _initializer(graph: onnx.GraphProto, name: str) -> onnx.TensorProto:
    tensor: onnx.TensorProto = _only([one for one in graph.initializer if one.name == name], f"constant {name}")
    return tensor


def _only(found: list[Found], what: str) -> Found:
    if len(found) != 1:
        raise ConversionFailed(f"the quantized network has {len(found)} of what it must have one: {what}")
    return found[0]
