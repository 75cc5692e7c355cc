"""Convolutions that compute as an int8 runtime will, so that a network learns to live with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn

LEAST_SCALE = 1e-8


@contextmanager
def fake_quantized(network: nn.Module) -> Iterator[None]:
    """Inside, every convolution rounds its kernel (int8, per output channel, symmetric) and its input (uint8, by the
    range of the batch); gradients pass as if it did not.

    Parameters and state stay as they are. Folding batch-norm scales whole output channels, so kernels that are rounded
    per channel before it are rounded alike after it.
    """
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    for convolution in convolutions:
        convolution._conv_forward = partial(_forward, convolution)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for convolution in convolutions:
            del convolution._conv_forward


def _forward(
    convolution: nn.Conv2d, features: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    rounded = _rounded_features(features.float()), _rounded_kernel(weight)
    output: torch.Tensor = nn.Conv2d._conv_forward(convolution, *rounded, bias)
    return output


def _rounded_features(features: torch.Tensor) -> torch.Tensor:
    """0 is always representable, as runtimes want it: padding is made of it."""
    low, high = features.detach().aminmax()
    low, high = low.clamp(max=0), high.clamp(min=0)
    scale = ((high - low) / 255).clamp(min=LEAST_SCALE)
    zero_point = (-low / scale).round().clamp(0, 255).to(torch.int32)
    return torch.fake_quantize_per_tensor_affine(features, scale, zero_point, 0, 255)


def _rounded_kernel(weight: torch.Tensor) -> torch.Tensor:
    scale = (weight.detach().abs().amax(dim=(1, 2, 3)) / 127).clamp(min=LEAST_SCALE)
    zero_point = torch.zeros_like(scale, dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(weight, scale, zero_point, 0, -127, 127)
