"""Running ONNX networks with onnxruntime on this machine's CPU, one thread."""

from pathlib import Path

import numpy as np
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
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def infer(session: onnxruntime.InferenceSession, image: np.ndarray) -> np.ndarray:
    """Logits of an image [1, 3, H, W]. Raises one of `OnnxRuntimeErrors`."""
    logits: np.ndarray = session.run([OUTPUT], {INPUT: image})[0]
    return logits
