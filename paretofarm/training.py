"""How candidates are trained: the `training:` part of an experiment file. A new training runtime is one more class."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from paretofarm.dataset import ClassificationDataset, DatasetSettings, SegmentationDataset
from paretofarm.metrics import METRICS, Metric, Source, trained_counterpart
from paretofarm.recipes import Recipe, with_recipe
from paretofarm.strict import Strict
from paretofarm.table_settings import Column, TableSource
from paretofarm.task import Task


def _increasing(epochs: tuple[int, ...]) -> tuple[int, ...]:
    if any(later <= earlier for earlier, later in pairwise(epochs)):
        raise ValueError("the rungs must increase, e.g. [1, 3, 9]: each counts all epochs from the start")
    return epochs


Epochs = Annotated[int, Field(ge=1, le=10_000)]
Rungs = Annotated[tuple[Epochs, ...], Field(min_length=1), AfterValidator(_increasing)]


def _level(value: Any) -> Any:
    """Before there were levels, files said whether to mirror."""
    return {True: "mirror", False: "none"}[value] if isinstance(value, bool) else value


AugmentationLevel = Annotated[Literal["none", "mirror", "strong"], BeforeValidator(_level)]


class EarlyStop(Strict):
    """Ends a training whose validation score (mIoU, or accuracy) no longer rises."""

    patience_epochs: int = Field(10, ge=1, le=10_000, description="so many epochs without a gain are the end")
    min_gain: float = Field(0.001, ge=0, le=1, description="of the best score; less counts as no gain")

    def reached(self, course: Sequence[float]) -> bool:
        """Whether the best of the last `patience_epochs` values is less than `min_gain` above all before them."""
        before, latest = course[: -self.patience_epochs], course[-self.patience_epochs :]
        return bool(before) and max(latest) < max(before) + self.min_gain


class QuantizationAware(Strict):
    """Fine-tuning for int8: at the end of a training convolutions compute with rounded weights and inputs."""

    epochs: int = Field(ge=1, le=10_000, description="so many of the planned epochs, the last ones")


class Distillation(Strict):
    """Learning from the logits of a trained teacher beside the labels (Hinton et al. 2015, arXiv 1503.02531, §2).

    Without a teacher, as the teacher itself is trained, it changes nothing.
    """

    weight: float = Field(0.5, gt=0, le=1, description="the teacher's share of the loss; the labels have the rest")
    temperature: float = Field(1.0, gt=0, le=100, description="logits are divided by it before they are compared")


class NetworkTraining(Strict):
    """Training of a network by cross-entropy that ignores class 255. Keys: docs/training.md.

    epochs: total epochs after each rung; the plan that schedules follow ends with the last. The defaults of the rest
    are Archai's (Adam, 2e-4, batches of 16), or what `recipe` says. Subclasses say what the network tells of an image.
    """

    type: str
    recipe: Recipe = Field("archai", description="a named set of settings; keys written beside it come before its own")
    dataset: DatasetSettings
    epochs: Rungs = (1,)
    share: float = Field(1.0, gt=0, le=1, description="of the training images, spread evenly over them")
    batch_size: int = Field(16, ge=1, le=4096)
    learning_rate: float = Field(2e-4, gt=0, le=10)
    lr_schedule: Literal["constant", "cosine"] = Field("constant", description="cosine: falls to 0 with the plan")
    warmup_epochs: float = Field(
        0.0, ge=0, le=1000, description="the learning rate rises evenly for so long, at most a quarter of the plan"
    )
    optimizer: Literal["adam", "adamw"] = "adam"
    weight_decay: float = Field(0.0, ge=0, le=1)
    weight_decay_on: Literal["all", "kernels"] = Field(
        "all", description="kernels: neither normalisation nor biases decay"
    )
    clip_gradients: float | None = Field(None, gt=0, le=1e6, description="greatest norm of all gradients together")
    ema_decay: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="a moving average of the weights is what is scored and exported; its decay begins low and rises to "
        "this with the steps",
    )
    class_weights: Literal["none", "inverse_sqrt"] = Field(
        "none", description="inverse_sqrt: the loss weighs each class by 1/√(its share of the labels)"
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of the target spread over all classes")
    augment: AugmentationLevel = Field(
        "none",
        description="mirror: images left to right (and left with right classes) at random; strong: also scaled, "
        "turned, shifted and in other colours",
    )
    early_stop: EarlyStop | None = None
    quantization_aware: QuantizationAware | None = None
    distillation: Distillation | None = None
    amp: bool = Field(True, description="bfloat16 autocast; on CUDA only")
    compile: bool = Field(False, description="torch.compile; on CUDA only, where it pays after minutes")

    @property
    def task(self) -> Task:
        return Task(self.type)

    def objection(self, metric: Metric) -> str | None:
        """Why such a network has no such metric; None where it does."""
        told = [*self.task.scores, "loss"]
        if not metric.trained or trained_counterpart(metric.name) in told:
            return None
        known = told if metric.source is Source.TRAIN else [f"device_{name}" for name in self.task.scores]
        return f"a {self.type} has no {metric.name}, but {', '.join(known)}"

    @model_validator(mode="before")
    @classmethod
    def _by_recipe(cls, document: Any) -> Any:
        return with_recipe(document) if isinstance(document, Mapping) else document

    @model_validator(mode="after")
    def _quantized_within_plan(self) -> Self:
        aware = self.quantization_aware
        if aware is not None and aware.epochs > self.epochs[-1]:
            raise ValueError(f"quantization_aware.epochs is {aware.epochs}, but there are {self.epochs[-1]} epochs")
        return self


class SegmentationTraining(NetworkTraining):
    """The class of each pixel is learned."""

    type: Literal["segmentation"]
    dataset: SegmentationDataset


class ClassificationTraining(NetworkTraining):
    """One class is learned of each image."""

    type: Literal["classification"]
    dataset: ClassificationDataset


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


TrainingSettings = Annotated[
    SegmentationTraining | ClassificationTraining | TabularTraining, Field(discriminator="type")
]
