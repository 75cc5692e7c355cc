"""The classifier of the space `mobile_classifier`, from its plan."""

from torch import Tensor, nn

from paretofarm.spaces.mobile_classifier import ClassifierPlan
from workers.networks.layers import ConvBnRelu, GlobalAverage, build_block, initialise


class MobileClassifier(nn.Module):
    """float32 images in [0, 1], NCHW with 3 channels and side `input_size`, to logits [N, classes, 1, 1].

    The last layer is a 1x1 convolution of the average over the image, which is a linear layer under another name. As
    for the hourglass nothing normalises the images, and weights come from torch's global generator.
    """

    def __init__(self, plan: ClassifierPlan, classes: int) -> None:
        super().__init__()
        self.stem = ConvBnRelu(3, plan.stem_channels, 3, stride=plan.stem_stride)
        self.stages = nn.Sequential(*(build_block(block) for block in plan.stages))
        self.head = ConvBnRelu(plan.stages[-1][-1].out_channels, plan.head_channels, 1)
        self.average = GlobalAverage()
        self.classifier = nn.Conv2d(plan.head_channels, classes, 1)
        initialise(self, self.classifier)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.average(self.head(self.stages(self.stem(images)))))
        return logits
