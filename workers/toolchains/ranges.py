"""The ranges of a network's tensors, from their histograms, and how onnxruntime's quantizer is told of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from paretofarm.activation_histogram import ClippingRange
from paretofarm.calibration import clipping_range
from workers.session import OUTPUT
from workers.toolchains.activations import Histograms

Ranges = Mapping[str, ClippingRange]

ORDER_KEPT = frozenset({"Resize", "Transpose", "Reshape", "Identity", "Flatten"})
"""Ops after which the greatest of several values is still the greatest."""


def clipping_ranges(graph: onnx.GraphProto, histograms: Histograms, method: str, levels: int) -> Ranges:
    """By tensor. What becomes the logits is never clipped: they are compared, and two at the end would be equal."""
    logits = _logits(graph)
    ranges = {
        name: histogram.extremes() if name in logits else clipping_range(method, histogram, levels)
        for name, histogram in histograms.items()
    }
    readers = [name for node in graph.node for name in node.input]
    for node in graph.node:
        # As the quantizer does it: what a ReLU throws away anyway needs no levels.
        if node.op_type in ("Relu", "Clip") and readers.count(node.input[0]) == 1 and node.output[0] in ranges:
            ranges[node.input[0]] = ranges[node.output[0]]
    return ranges


def overrides(ranges: Ranges) -> dict[str, list[dict[str, Any]]]:
    """For `TensorQuantOverrides`."""
    return {
        name: [{"rmin": np.array(each.low, np.float32), "rmax": np.array(each.high, np.float32)}]
        for name, each in ranges.items()
    }


def _logits(graph: onnx.GraphProto) -> set[str]:
    """The output, and the tensors that it is a rearrangement of."""
    producers = {name: node for node in graph.node for name in node.output}
    found, name = {OUTPUT}, OUTPUT
    while name in producers and producers[name].op_type in ORDER_KEPT:
        name = producers[name].input[0]
        found.add(name)
    return found
