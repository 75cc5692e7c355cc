"""The operations of the search spaces as layers. All keep the resolution but for their stride; all end normalised."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import Tensor, nn

from paretofarm.errors import BuildFailed
from paretofarm.spaces.plan import LayerPlan

_OPERATION = re.compile(r"(?P<kind>[a-z]+)(?P<kernel>\d+)x(?P=kernel)(_e(?P<expansion>\d+))?")


class ConvBnRelu(nn.Sequential):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, groups: int = 1, relu: bool = True
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(out_channels),
        ]
        super().__init__(*layers, *([nn.ReLU(inplace=True)] if relu else []))


class DepthwiseSeparable(nn.Sequential):
    """A depthwise convolution, then a pointwise one, both normalised (MobileNet)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, *, stride: int) -> None:
        super().__init__(
            ConvBnRelu(in_channels, in_channels, kernel, stride=stride, groups=in_channels),
            ConvBnRelu(in_channels, out_channels, 1),
        )


class InvertedBottleneck(nn.Module):
    """Expand, depthwise, project without ReLU (MobileNetV2); added to its input where the shapes agree."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.residual = stride == 1 and in_channels == out_channels
        self.body = nn.Sequential(
            ConvBnRelu(in_channels, hidden, 1),
            ConvBnRelu(hidden, hidden, kernel, stride=stride, groups=hidden),
            ConvBnRelu(hidden, out_channels, 1, relu=False),
        )

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.body(features)
        return features + out if self.residual else out


def _conv(plan: LayerPlan, kernel: int, expansion: int) -> nn.Module:
    return ConvBnRelu(plan.in_channels, plan.out_channels, kernel, stride=plan.stride)


def _dwsep(plan: LayerPlan, kernel: int, expansion: int) -> nn.Module:
    return DepthwiseSeparable(plan.in_channels, plan.out_channels, kernel, stride=plan.stride)


def _mbconv(plan: LayerPlan, kernel: int, expansion: int) -> nn.Module:
    return InvertedBottleneck(plan.in_channels, plan.out_channels, kernel, stride=plan.stride, expansion=expansion)


_KINDS: Mapping[str, Callable[[LayerPlan, int, int], nn.Module]] = MappingProxyType(
    {"conv": _conv, "dwsep": _dwsep, "mbconv": _mbconv}
)


def build_layer(plan: LayerPlan) -> nn.Module:
    """The layer that a name such as `conv3x3` or `mbconv5x5_e6` (kernel 5, expansion 6) stands for."""
    name = _OPERATION.fullmatch(plan.op)
    if name is None or name["kind"] not in _KINDS:
        raise BuildFailed(f"there is no operation {plan.op!r}")
    return _KINDS[name["kind"]](plan, int(name["kernel"]), int(name["expansion"] or 1))


def build_block(plans: tuple[LayerPlan, ...]) -> nn.Sequential:
    """The layers one after the other; none is the identity."""
    return nn.Sequential(*(build_layer(plan) for plan in plans))
