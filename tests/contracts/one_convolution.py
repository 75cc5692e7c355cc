"""The smallest network that takes a time worth measuring."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def network(path: Path, channels: int) -> Path:
    """A convolution of free batch size with `channels` outputs, on 96x96 pixels."""
    weights = numpy_helper.from_array(np.full((channels, 3, 5, 5), 0.1, np.float32), "w")
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 96, 96])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([helper.make_node("Conv", ["x", "w"], ["y"])], "net", [image], [out], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path
