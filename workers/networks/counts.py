"""What a network costs before anybody runs it: parameters and multiply-accumulates."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn


def count_parameters(network: nn.Module) -> int:
    """All trained numbers; batch normalisation's running statistics are not trained."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, input_shape: Sequence[int]) -> int:
    """Multiply-accumulates of all convolutions and linear layers for one input of this shape, batch included.

    Only shapes are computed (on torch's meta device), so the greatest network takes milliseconds and no memory. The
    network is left as it was.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    return _total(network, input_shape, layers, lambda layer, output: output.numel() * _macs_per_output(layer))


def count_activations(network: nn.Module, input_shape: Sequence[int]) -> int:
    """Numbers that all layers put out for one input of this shape: what a training keeps of them grows with it."""
    layers = [module for module in network.modules() if not any(True for _ in module.children())]
    return _total(network, input_shape, layers, lambda layer, output: output.numel())


def _total(
    network: nn.Module,
    input_shape: Sequence[int],
    layers: Iterable[nn.Module],
    count: Callable[[nn.Module, Tensor], int],
) -> int:
    """Of what is counted each time that one of the layers puts something out."""
    total = 0

    def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += count(module, output)

    hooks = [layer.register_forward_hook(add) for layer in layers]
    try:
        _run_shapes(network, input_shape)
    finally:
        for hook in hooks:
            hook.remove()
    return total


def _run_shapes(network: nn.Module, input_shape: Sequence[int]) -> None:
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    shapes = {name: torch.empty_like(tensor, device="meta") for name, tensor in tensors.items()}
    training = {module: module.training for module in network.modules()}
    # In training mode batch normalisation refuses one image with one pixel, which small inputs come down to.
    network.eval()
    try:
        with torch.no_grad():
            torch.func.functional_call(network, shapes, (torch.empty(tuple(input_shape), device="meta"),))
    finally:
        for module, was_training in training.items():
            module.training = was_training


def _macs_per_output(module: nn.Module) -> int:
    if isinstance(module, nn.Conv2d):
        height, width = module.kernel_size
        return module.in_channels // module.groups * height * width
    return module.in_features if isinstance(module, nn.Linear) else 0
