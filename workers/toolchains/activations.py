"""What values a float network's tensors take over the calibration images: it is run twice, with all of them as outputs.

onnxruntime has calibrators of its own. Those with histograms keep every output of every image until the end, and none
looks for the least error; the extremes found here are theirs to the last bit, if those are computed on one thread.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path

import numpy as np
import onnx
from onnxruntime import InferenceSession

from paretofarm.activation_histogram import ActivationHistogram, Values
from paretofarm.errors import ConversionFailed
from workers.session import INPUT, open_as_written
from workers.toolchains.port import Images

MOST_BYTES = 256 * 2**20
"""Of outputs at a time: a network that has more is run for one part of its tensors after the other."""

Histograms = Mapping[str, ActivationHistogram]


def activation_histograms(network: Path, images: Images, on_progress: Callable[[float], None]) -> Histograms:
    """Of each float32 tensor, the input among them. images: as this network takes them.

    Raises one of `OnnxRuntimeErrors`; `ConversionFailed` where a tensor has values that are no numbers.
    """
    model = onnx.shape_inference.infer_shapes(onnx.load(network))
    parts = list(_parts(_tensors(model)))
    found: dict[str, ActivationHistogram] = {}
    runs, done = 2 * len(parts) * len(images), 0
    for names in parts:
        session = open_as_written(_with_outputs(model, names))
        extremes: dict[str, tuple[float, float]] = {}
        for values in _runs(session, names, images):
            for name, tensor in values.items():
                extremes[name] = _widened(extremes.get(name), tensor, name)
            on_progress((done := done + 1) / runs)
        histograms = {name: ActivationHistogram.empty(low, high) for name, (low, high) in extremes.items()}
        for values in _runs(session, names, images):
            for name, tensor in values.items():
                histograms[name].add(tensor)
            on_progress((done := done + 1) / runs)
        found |= histograms
    return found


def _tensors(model: onnx.ModelProto) -> dict[str, int]:
    """Bytes of each float32 output of a node, by name."""
    made = {name for node in model.graph.node for name in node.output}
    return {
        value.name: 4 * prod(dimension.dim_value for dimension in value.type.tensor_type.shape.dim)
        for value in (*model.graph.value_info, *model.graph.output)
        if value.name in made and value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    }


def _parts(tensors: Mapping[str, int]) -> Iterator[Sequence[str]]:
    """At most `MOST_BYTES` each, but for tensors that are larger alone."""
    part: list[str] = []
    room = MOST_BYTES
    for name, size in tensors.items():
        if part and size > room:
            yield part
            part, room = [], MOST_BYTES
        part.append(name)
        room -= size
    yield part


def _with_outputs(model: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    extended = onnx.ModelProto()
    extended.CopyFrom(model)
    there = {value.name for value in model.graph.output}
    extended.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names if name not in there
    )
    return extended


def _runs(session: InferenceSession, names: Sequence[str], images: Images) -> Iterator[Mapping[str, Values]]:
    """The input is no output of its own: onnxruntime would give its memory away."""
    for image in images:
        yield {INPUT: image, **dict(zip(names, session.run(names, {INPUT: image}), strict=True))}


def _widened(before: tuple[float, float] | None, values: Values, name: str) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if not np.isfinite((low, high)).all():
        raise ConversionFailed(f"tensor {name} of the network has values that are no numbers")
    return (low, high) if before is None else (min(low, before[0]), max(high, before[1]))
