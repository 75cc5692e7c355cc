"""Which layers of a network suffer most from being quantized: each is, alone, in the float network.

A layer is a node with its weights and, where its output has levels of its own, that output; what it reads is another's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import log10
from typing import Self

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from paretofarm.activation_histogram import Values
from paretofarm.calibration import SHOWN_LAYERS, LayerNoise
from workers.session import INPUT, OUTPUT, open_as_written
from workers.toolchains.held_out import Progress

# How onnxruntime's quantizer calls what it puts around a tensor.
QUANTIZED_FROM, DEQUANTIZED_TO = "_QuantizeLinear_Input", "_DequantizeLinear_Output"
FUSED = frozenset({"Relu", "Clip"})

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Levels:
    """Multiples of `step`, from `lowest` to `highest` times it."""

    step: float
    lowest: float
    highest: float


@dataclass
class _Layer:
    """weights: as they come out of quantization, by name; output: the tensor that has levels, if any."""

    node: onnx.NodeProto
    weights: dict[str, Array] = field(default_factory=dict)
    output: str | None = None


def layer_noise(
    prepared: onnx.ModelProto,
    quantized: onnx.ModelProto,
    images: Sequence[Values],
    *,
    class_axis: int,
    on_progress: Progress,
) -> tuple[LayerNoise, ...]:
    """The layers that cost most, worst first. quantized: what became of `prepared`, in QDQ form."""
    levels = _levels(quantized.graph)
    layers = list(_layers(prepared.graph, levels, _weights(quantized.graph)))
    exact = [_Exact.of(logits, class_axis) for logits in _logits(prepared, images)]
    found: list[LayerNoise] = []
    for number, layer in enumerate(layers):
        noise = _Noise()
        for expected, actual in zip(exact, _logits(_with_noise(prepared, layer, levels), images), strict=True):
            noise.add(expected, actual, class_axis)
        if noise.energy and noise.signal:
            found.append(LayerNoise(_name(layer), layer.node.op_type, noise.sqnr_db, noise.changed / noise.pixels))
        on_progress((number + 1) / len(layers))
    return tuple(sorted(found, key=lambda each: each.sqnr_db)[:SHOWN_LAYERS])


@dataclass(frozen=True, eq=False)
class _Exact:
    """What the float network makes of an image."""

    logits: Array
    classes: npt.NDArray[np.int64]
    energy: float

    @classmethod
    def of(cls, logits: Array, class_axis: int) -> Self:
        return cls(logits, logits.argmax(class_axis), float(np.square(logits, dtype=np.float64).sum()))


@dataclass
class _Noise:
    """Sums over images."""

    signal: float = 0.0
    energy: float = 0.0
    changed: int = 0
    pixels: int = 0

    def add(self, exact: _Exact, actual: Array, class_axis: int) -> None:
        self.signal += exact.energy
        self.energy += float(np.square(actual - exact.logits, dtype=np.float64).sum())
        self.changed += int(np.count_nonzero(actual.argmax(class_axis) != exact.classes))
        self.pixels += exact.classes.size

    @property
    def sqnr_db(self) -> float:
        return 10 * log10(self.signal / self.energy)


def _name(layer: _Layer) -> str:
    """That of its module where its weights tell; nodes have numbers only."""
    modules = [name.rpartition(".")[0] for name in layer.weights]
    return next((module for module in modules if module), layer.node.name)


def _logits(model: onnx.ModelProto, images: Sequence[Values]) -> Iterator[Array]:
    session = open_as_written(model)
    for image in images:
        yield session.run([OUTPUT], {INPUT: image})[0]


def _levels(graph: onnx.GraphProto) -> dict[str, _Levels]:
    """By tensor; of those that share their levels only the first: the others cost nothing more."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    found, seen = dict[str, _Levels](), set[str]()
    for node in graph.node:
        if node.op_type == "QuantizeLinear" and node.input[1] not in seen:
            seen.add(node.input[1])
            step, zero = (numpy_helper.to_array(constants[name]) for name in node.input[1:3])
            limits = np.iinfo(zero.dtype)
            name = node.input[0].removesuffix(QUANTIZED_FROM)
            found[name] = _Levels(float(step), float(limits.min - int(zero)), float(limits.max - int(zero)))
    return found


def _weights(graph: onnx.GraphProto) -> dict[str, Array]:
    """Weights and biases as the quantized network has them, by name."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    found: dict[str, Array] = {}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in constants:
            whole, step, zero = (numpy_helper.to_array(constants[name]) for name in node.input[:3])
            axis = next((each.i for each in node.attribute if each.name == "axis"), 1)
            shape = [-1 if place == axis else 1 for place in range(whole.ndim)] if step.ndim else []
            values = (whole.astype(np.float32) - zero.reshape(shape)) * step.reshape(shape)
            found[node.output[0].removesuffix(DEQUANTIZED_TO)] = values.astype(np.float32)
    return found


def _layers(graph: onnx.GraphProto, levels: dict[str, _Levels], weights: dict[str, Array]) -> Iterator[_Layer]:
    readers = {name: node for node in graph.node for name in node.input}
    for node in graph.node:
        layer = _Layer(node, {name: weights[name] for name in node.input if name in weights})
        output = node.output[0]
        if output not in levels and output in readers and readers[output].op_type in FUSED:
            output = readers[output].output[0]
        fused = node.op_type in FUSED and node.input[0] not in levels
        layer.output = output if output in levels and not fused else None
        if layer.weights or layer.output:
            yield layer


def _with_noise(prepared: onnx.ModelProto, layer: _Layer, levels: dict[str, _Levels]) -> onnx.ModelProto:
    model = onnx.ModelProto()
    model.CopyFrom(prepared)
    for tensor in model.graph.initializer:
        if tensor.name in layer.weights:
            tensor.CopyFrom(numpy_helper.from_array(layer.weights[tensor.name], tensor.name))
    if layer.output is not None:
        _round(model.graph, layer.output, levels[layer.output])
    return model


def _round(graph: onnx.GraphProto, name: str, levels: _Levels) -> None:
    """What quantizing and dequantizing makes of a tensor, in arithmetic that every type of integer has."""
    exact, scaled, whole, clipped = (f"{name}/{word}" for word in ("exact", "scaled", "whole", "clipped"))
    constants = {f"{name}/step": levels.step, f"{name}/lowest": levels.lowest, f"{name}/highest": levels.highest}
    producer = next(node for node in graph.node if name in node.output)
    producer.output[list(producer.output).index(name)] = exact
    nodes = [
        helper.make_node("Div", [exact, f"{name}/step"], [scaled]),
        helper.make_node("Round", [scaled], [whole]),
        helper.make_node("Clip", [whole, f"{name}/lowest", f"{name}/highest"], [clipped]),
        helper.make_node("Mul", [clipped, f"{name}/step"], [name]),
    ]
    at = list(graph.node).index(producer) + 1
    for offset, node in enumerate(nodes):
        graph.node.insert(at + offset, node)
    graph.initializer.extend(
        numpy_helper.from_array(np.array(value, np.float32), key) for key, value in constants.items()
    )
