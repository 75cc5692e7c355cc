"""How candidates are trained: the `training:` part of an experiment file. A new training runtime is one more class."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from paretofarm.dataset import DatasetSettings
from paretofarm.strict import Strict


def _increasing(epochs: tuple[int, ...]) -> tuple[int, ...]:
    if any(later <= earlier for earlier, later in pairwise(epochs)):
        raise ValueError("the rungs must increase, e.g. [1, 3, 9]: each counts all epochs from the start")
    return epochs


Epochs = Annotated[int, Field(ge=1, le=10_000)]


class SegmentationTraining(Strict):
    """Partial training of a segmentation network: cross-entropy that ignores class 255.

    epochs: total epochs after each rung; the defaults of the rest are Archai's (Adam, 2e-4, batches of 16).
    """

    type: Literal["segmentation"]
    dataset: DatasetSettings
    epochs: Annotated[tuple[Epochs, ...], Field(min_length=1), AfterValidator(_increasing)] = (1,)
    batch_size: int = Field(16, ge=1, le=4096)
    learning_rate: float = Field(2e-4, gt=0, le=10)
    lr_schedule: Literal["constant", "cosine"] = "constant"
    optimizer: Literal["adam", "adamw"] = "adam"
    weight_decay: float = Field(0.0, ge=0, le=1)
    class_weights: Literal["none", "inverse_sqrt"] = Field(
        "none", description="inverse_sqrt: the loss weighs each class by 1/√(its share of pixels)"
    )
    augment: bool = Field(False, description="mirror images left to right (and left with right classes) at random")
    amp: bool = Field(True, description="bfloat16 autocast; on CUDA only")


TrainingSettings = SegmentationTraining
