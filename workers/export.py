"""Networks leave torch as ONNX: opset 18, batch-norm folded, one float32 input `image`, one output `logits`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from paretofarm.errors import BuildFailed
from workers.memory import first_line, is_out_of_memory, out_of_memory_named
from workers.quiet import quiet
from workers.session import INPUT, OUTPUT, OnnxRuntimeErrors, infer, open_session

if TYPE_CHECKING:
    import onnx

Shape = tuple[int, int, int, int]

OPSET = 18
TOLERANCE = 1e-3
"""Greatest difference allowed between torch and onnxruntime, relative to the greatest logit (seen: below 1e-5)."""


def export_onnx(network: nn.Module, input_shape: Shape, path: Path) -> None:
    """Writes the network, in eval mode and on the CPU, for inputs (1, 3, height, width) in [0, 1].

    The same weights give the same bytes on any machine. `BuildFailed` names the op that ONNX does not have;
    `OutOfMemory` where even one image does not fit.
    """
    with out_of_memory_named("the export"):
        model = _to_onnx(network, input_shape)
    _strip(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def verify_onnx(network: nn.Module, path: Path, input_shape: Shape, *, seed: int = 0) -> float:
    """Runs a random image through torch and onnxruntime; the greatest absolute difference between their logits.

    `BuildFailed` where they disagree, or where onnxruntime does not load the file.
    """
    image = np.random.default_rng(seed).random(input_shape, dtype=np.float32)
    expected = _run_torch(network, image)
    difference = float(np.abs(run_onnx(path, image) - expected).max())
    if not difference <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise BuildFailed(f"the exported network differs from torch by {difference:g}")
    return difference


def run_onnx(path: Path, image: np.ndarray) -> np.ndarray:
    """Logits of one image by onnxruntime on the CPU, one thread."""
    try:
        return infer(open_session(path), image)
    except OnnxRuntimeErrors as error:
        raise BuildFailed(f"onnxruntime cannot run the exported network: {first_line(error)}") from error


def _to_onnx(network: nn.Module, input_shape: Shape) -> "onnx.ModelProto":
    was_training = network.training
    network.eval()
    try:
        # Chatter about torchvision being absent and deprecations inside torch, on every call.
        with quiet("torch.onnx", "torch.export", "onnxscript", "onnx_ir"), torch.no_grad():
            program = torch.onnx.export(
                network,
                (torch.zeros(input_shape, device="cpu"),),
                dynamo=True,
                opset_version=OPSET,
                verbose=False,
                input_names=[INPUT],
                output_names=[OUTPUT],
            )
    except (RuntimeError, ValueError, TypeError) as error:
        if is_out_of_memory(error):
            raise
        raise BuildFailed(_reason(error)) from error
    finally:
        network.train(was_training)
    if program is None:
        raise BuildFailed("torch.onnx.export gave nothing")
    return program.model_proto


def _strip(model: "onnx.ModelProto") -> None:
    """Removes stack traces with paths of this machine, a third of a small file."""
    del model.graph.metadata_props[:]
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    for tensor in model.graph.initializer:
        del tensor.metadata_props[:]
        tensor.doc_string = ""


def _run_torch(network: nn.Module, image: np.ndarray) -> np.ndarray:
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad(), out_of_memory_named("one image"):
            logits: np.ndarray = network(torch.from_numpy(image)).numpy()
            return logits
    finally:
        network.train(was_training)


def _reason(error: BaseException) -> str:
    root = list(_chain(error))[-1]
    if operation := re.search(r"No ONNX function found for <OpOverload\(op='([^']+)'", str(root)):
        return f"ONNX has no equivalent of the op {operation[1]}"
    return f"the network cannot be exported: {first_line(root)}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
