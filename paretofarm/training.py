"""How candidates are trained: the `training:` part of an experiment file. A new training runtime is one more class."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from paretofarm.dataset import DatasetSettings
from paretofarm.metrics import METRICS, Metric, Source
from paretofarm.strict import Strict
from paretofarm.table_settings import Column, TableSource


def _increasing(epochs: tuple[int, ...]) -> tuple[int, ...]:
    if any(later <= earlier for earlier, later in pairwise(epochs)):
        raise ValueError("the rungs must increase, e.g. [1, 3, 9]: each counts all epochs from the start")
    return epochs


Epochs = Annotated[int, Field(ge=1, le=10_000)]
Rungs = Annotated[tuple[Epochs, ...], Field(min_length=1), AfterValidator(_increasing)]


class SegmentationTraining(Strict):
    """Partial training of a segmentation network: cross-entropy that ignores class 255.

    epochs: total epochs after each rung; the defaults of the rest are Archai's (Adam, 2e-4, batches of 16).
    """

    type: Literal["segmentation"]
    dataset: DatasetSettings
    epochs: Rungs = (1,)
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


class TabularTraining(TableSource):
    """What a table says instead of a training; everything that comes of it is simulated.

    metrics: per trained metric a column for each rung; seconds: of training from the start, likewise. build: columns of
    `parameters` and `macs`.
    """

    type: Literal["tabular"]
    dataset: ClassVar[None] = None
    epochs: Rungs = (1,)
    metrics: Annotated[Mapping[str, tuple[Column, ...]], Field(min_length=1)]
    seconds: tuple[Column, ...] = ()
    build: Mapping[str, Column] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_column_a_rung(self) -> Self:
        rungs = len(self.epochs)
        for name, columns in {**self.metrics, **({"seconds": self.seconds} if self.seconds else {})}.items():
            if len(columns) != rungs:
                raise ValueError(f"{name} needs a column for each of the {rungs} epochs, not {len(columns)}")
        return self

    @model_validator(mode="after")
    def _known(self) -> Self:
        for names, source in ((self.metrics, Source.TRAIN), (self.build, Source.BUILD)):
            known = [metric.name for metric in METRICS.values() if metric.source is source]
            unknown = [name for name in names if name not in known]
            if unknown:
                raise ValueError(f"{', '.join(unknown)}: the {source.value} stage has {', '.join(known)}")
        return self

    def objection(self, metric: Metric) -> str | None:
        """Why the table cannot tell the metric; None where it can, or where it is the device's to tell."""
        columns: Mapping[Source, Mapping[str, object]] = {Source.TRAIN: self.metrics, Source.BUILD: self.build}
        if metric.name in columns.get(metric.source, (metric.name,)):
            return None
        part = "metrics" if metric.source is Source.TRAIN else "build"
        return f"{metric.name}: name its column in training.{part}"


TrainingSettings = Annotated[SegmentationTraining | TabularTraining, Field(discriminator="type")]
