"""The operations of the search spaces as layers. All keep the resolution but for their stride; all end normalised."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import Tensor, nn

from paretofarm.errors import BuildFailed
from paretofarm.spaces.layer_costs import squeezed_channels
from paretofarm.spaces.operation import Operation
from paretofarm.spaces.plan import LayerPlan


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


class GlobalAverage(nn.Module):
    """Of each channel, over the whole image: [N, C, 1, 1].

    Not `AdaptiveAvgPool2d`: of a network in channels-last order, as trained ones are, that is exported with a Reshape
    and a Gather around it, on which Qualcomm's compiler crashes.
    """

    def forward(self, features: Tensor) -> Tensor:
        return features.mean(dim=(2, 3), keepdim=True)


class SqueezeExcitation(nn.Module):
    """Weighs channels by what their averages over the image say (Hu et al. 2018), as MobileNetV3 does it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = squeezed_channels(channels)
        self.average = GlobalAverage()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.relu = nn.ReLU(inplace=True)
        self.excite = nn.Conv2d(squeezed, channels, 1)
        self.gate = nn.Hardsigmoid()

    def forward(self, features: Tensor) -> Tensor:
        weights: Tensor = self.gate(self.excite(self.relu(self.squeeze(self.average(features)))))
        return features * weights


class InvertedBottleneck(nn.Module):
    """Expand, depthwise, project without ReLU (MobileNetV2); added to its input where the shapes agree.

    squeeze: whether the depthwise convolution is followed by a squeeze-and-excitation (MobileNetV3).
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, *, stride: int, expansion: int, squeeze: bool = False
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.residual = stride == 1 and in_channels == out_channels
        self.body = nn.Sequential(
            ConvBnRelu(in_channels, hidden, 1),
            ConvBnRelu(hidden, hidden, kernel, stride=stride, groups=hidden),
            *([SqueezeExcitation(hidden)] if squeeze else []),
            ConvBnRelu(hidden, out_channels, 1, relu=False),
        )

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.body(features)
        return features + out if self.residual else out


def _conv(plan: LayerPlan, operation: Operation) -> nn.Module:
    return ConvBnRelu(plan.in_channels, plan.out_channels, operation.kernel, stride=plan.stride)


def _dwsep(plan: LayerPlan, operation: Operation) -> nn.Module:
    return DepthwiseSeparable(plan.in_channels, plan.out_channels, operation.kernel, stride=plan.stride)


def _mbconv(plan: LayerPlan, operation: Operation) -> nn.Module:
    return InvertedBottleneck(
        plan.in_channels,
        plan.out_channels,
        operation.kernel,
        stride=plan.stride,
        expansion=operation.expansion,
        squeeze=operation.squeeze,
    )


_KINDS: Mapping[str, Callable[[LayerPlan, Operation], nn.Module]] = MappingProxyType(
    {"conv": _conv, "dwsep": _dwsep, "mbconv": _mbconv}
)


def build_layer(plan: LayerPlan) -> nn.Module:
    """The layer that a name such as `conv3x3` or `mbconv5x5_e6` (kernel 5, expansion 6) stands for."""
    operation = Operation.parse(plan.op)
    if operation is None or operation.kind not in _KINDS:
        raise BuildFailed(f"there is no operation {plan.op!r}")
    return _KINDS[operation.kind](plan, operation)


def build_block(plans: tuple[LayerPlan, ...]) -> nn.Sequential:
    """The layers one after the other; none is the identity."""
    return nn.Sequential(*(build_layer(plan) for plan in plans))


def initialise(network: nn.Module, classifier: nn.Conv2d) -> None:
    """From torch's global generator; the classifier so that logits begin near zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    nn.init.normal_(classifier.weight, std=0.01)
