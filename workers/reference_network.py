"""Makes the reference network that phones time between blocks anew: `python -m workers.reference_network FOLDER`.

Small and plain on purpose (convolutions 3×3 and depthwise, ReLU, 192×192 input), with seeded random weights: it need
not know anything, its pace is all that counts. Its files are part of the product (`reference.onnx` in
workers/reference/, `reference_int8.onnx` in device_agents/reference/): made anew with another torch or onnxruntime
their bytes may change, and with them every phone's baseline.
"""

import sys
from pathlib import Path

import torch
from torch import nn

from paretofarm.runtimes import OnnxRuntimeMeasurement
from workers.export import export_onnx
from workers.reference import SEED, SHAPE, reference_images
from workers.toolchains.onnxruntime import OnnxRuntimeToolchain


def main() -> None:
    folder = Path(sys.argv[1])
    onnx = folder / "reference.onnx"
    export_onnx(_network(), SHAPE, onnx)
    toolchain = OnnxRuntimeToolchain(OnnxRuntimeMeasurement(runtime="onnxruntime"))
    toolchain.compile(onnx, list(reference_images()), "any", folder / "reference_int8.onnx")


def _network() -> nn.Module:
    torch.manual_seed(SEED)
    layers = [*_conv(3, 16, stride=2), *_conv(16, 32), *_conv(32, 32, groups=32), *_conv(32, 32), *_conv(32, 19)]
    return nn.Sequential(*layers).eval()


def _conv(inputs: int, outputs: int, *, stride: int = 1, groups: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, groups=groups, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU()


if __name__ == "__main__":
    main()
