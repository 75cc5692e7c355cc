"""The stacked hourglass network of both hourglass spaces, from its plan."""

from torch import Tensor, nn

from paretofarm.spaces.plan import HourglassPlan, NetworkPlan
from workers.networks.layers import ConvBnRelu, build_block, initialise


class Hourglass(nn.Module):
    """Down through blocks that halve the resolution, up again by bilinear upsampling, with a skip at every level.

    Takes and gives `base_channels` at the same resolution.
    """

    def __init__(self, plan: HourglassPlan, base_channels: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(build_block(block) for block in plan.down)
        self.skip = nn.ModuleList(build_block(block) for block in plan.skip)
        self.up = nn.ModuleList(build_block(block) for block in plan.up)
        self.upsample = Upsample(2)
        self.output = nn.Conv2d(plan.out_channels, base_channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        skips = []
        for down, skip in zip(self.down[:-1], self.skip, strict=True):
            features = down(features)
            skips.append(skip(features))
        features = self.down[-1](features)
        for up, skipped in zip(reversed(self.up), reversed(skips), strict=True):
            features = skipped + up(self.upsample(features))
        out: Tensor = self.output(features)
        return out


class HourglassNetwork(nn.Module):
    """float32 images in [0, 1], NCHW with 3 channels and side `input_size`, to logits [N, classes, side, side].

    Nothing normalises the images: the stem's batch normalisation does. Initial logits are near zero, so training
    starts from a loss of ln(classes). Weights come from torch's global generator: seed it before.
    """

    def __init__(self, plan: NetworkPlan, classes: int) -> None:
        super().__init__()
        scale = plan.input_size / plan.resolution
        self.entrance = Upsample(1 / scale)
        self.stem = ConvBnRelu(3, plan.base_channels, 3, stride=plan.stem_stride)
        self.hourglasses = nn.Sequential(*(Hourglass(hourglass, plan.base_channels) for hourglass in plan.hourglasses))
        self.upsample = Upsample(plan.stem_stride)
        self.post = build_block(plan.post)
        self.classifier = nn.Conv2d(plan.base_channels, classes, 1)
        self.exit = Upsample(scale)
        initialise(self, self.classifier)

    def forward(self, images: Tensor) -> Tensor:
        features = self.hourglasses(self.stem(self.entrance(images)))
        logits: Tensor = self.exit(self.classifier(self.post(self.upsample(features))))
        return logits


class Upsample(nn.Module):
    """Bilinear resizing by a fixed factor, pixel centres aligned (`align_corners=False`), which phones can quantize."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = float(factor)

    def forward(self, features: Tensor) -> Tensor:
        if self.factor == 1.0:
            return features
        return nn.functional.interpolate(features, scale_factor=self.factor, mode="bilinear", align_corners=False)
