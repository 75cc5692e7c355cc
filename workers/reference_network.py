"""Writes the reference network that phones time between blocks: `python -m workers.reference_network FILE.onnx`.

Small and plain on purpose (convolutions 3×3 and depthwise, ReLU, 192×192 input), with seeded random weights: it need
not know anything, its pace is all that counts. Its file is part of the product (device_agents/reference/): made anew
with another onnxruntime its bytes may change, and with them every phone's baseline.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

from paretofarm.runtimes import OnnxRuntimeMeasurement
from workers.export import export_onnx
from workers.toolchains.onnxruntime import OnnxRuntimeToolchain

SIDE = 192
SEED = 20261121


def main() -> None:
    out = Path(sys.argv[1])
    images = np.random.default_rng(SEED).random((8, 1, 3, SIDE, SIDE), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        onnx = Path(folder) / "reference.onnx"
        export_onnx(_network(), (1, 3, SIDE, SIDE), onnx)
        OnnxRuntimeToolchain(OnnxRuntimeMeasurement(runtime="onnxruntime")).compile(onnx, images, "any", out)


def _network() -> nn.Module:
    torch.manual_seed(SEED)
    layers = [*_conv(3, 16, stride=2), *_conv(16, 32), *_conv(32, 32, groups=32), *_conv(32, 32), *_conv(32, 19)]
    return nn.Sequential(*layers).eval()


def _conv(inputs: int, outputs: int, *, stride: int = 1, groups: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, groups=groups, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU()


if __name__ == "__main__":
    main()
