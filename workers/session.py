"""Running ONNX networks with onnxruntime on this machine's CPU, one thread."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as _native

INPUT = "image"
OUTPUT = "logits"

# onnxruntime's own exceptions have no base class in common but Exception.
OnnxRuntimeErrors: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    *(kind for kind in vars(_native).values() if isinstance(kind, type) and issubclass(kind, Exception)),
)
_SILENT = 4


def open_session(path: Path, optimized: Path | None = None) -> onnxruntime.InferenceSession:
    """Raises one of `OnnxRuntimeErrors`. Writes the graph, as it will really be run, to `optimized`."""
    options = _options()
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def open_as_written(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """One that runs the graph node by node, so that every tensor in it has its value."""
    options = _options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def infer(session: onnxruntime.InferenceSession, image: np.ndarray) -> np.ndarray:
    """Logits of an image [1, 3, H, W]. Raises one of `OnnxRuntimeErrors`."""
    logits: np.ndarray = session.run([OUTPUT], {INPUT: image})[0]
    return logits


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    return options
