"""How the ranges of a trained network's activations were chosen, and what quantization costs it. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from paretofarm.activation_histogram import ActivationHistogram, ClippingRange
from paretofarm.task import Task

Calibration = Literal["minmax", "percentile", "mse", "best"]
METHODS = ("minmax", "percentile", "mse")
"""Of equally good ones the first is kept."""
SHOWN_LAYERS = 10


def methods(calibration: Calibration) -> tuple[str, ...]:
    """Those to try."""
    return METHODS if calibration == "best" else (calibration,)


def clipping_range(method: str, histogram: ActivationHistogram, levels: int) -> ClippingRange:
    """levels: how many values a quantized number can have."""
    match method:
        case "minmax":
            return histogram.extremes()
        case "percentile":
            return histogram.percentile()
        case "mse":
            return histogram.least_error(levels)
    raise ValueError(f"there is no calibration {method!r}")


def best_method(scores: Mapping[str, float]) -> str:
    """The one to keep, by the score of the network that it gives."""
    return max(METHODS, key=lambda method: scores.get(method, -1.0))


@dataclass(frozen=True)
class LayerNoise:
    """What is lost where nothing but this layer's weights and output is quantized.

    layer: as in the ONNX network; sqnr_db: signal to noise of the logits, decibels; changed: share of the pixels (of a
    classification: images) that get another class.
    """

    layer: str
    op: str
    sqnr_db: float
    changed: float


@dataclass(frozen=True)
class CalibrationResult:
    """int8, fp32: what the network scores over the same `images` of the validation split, run on the host that
    compiled; int8 by method.

    layers: those that cost most, worst first; empty where nobody asked. task: tells which score it is.
    """

    kept: str
    images: int
    fp32: float
    int8: Mapping[str, float]
    layers: tuple[LayerNoise, ...] = ()
    task: Task = Task.SEGMENTATION

    @property
    def metric(self) -> str:
        """That the methods were compared by."""
        return self.task.judged_by

    @property
    def gap_points(self) -> float:
        """What quantization costs, in points (hundredths) of the score."""
        return self.gap_points_of(self.kept)

    def gap_points_of(self, method: str) -> float:
        return 100 * (self.fp32 - self.int8[method])

    def to_dict(self) -> dict[str, Any]:
        return {
            "kept": self.kept,
            "images": self.images,
            "task": self.task.value,
            f"fp32_{self.metric}": self.fp32,
            f"int8_{self.metric}": dict(self.int8),
            "gap_points": self.gap_points,
            "worst_layers": [asdict(layer) for layer in self.layers],
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Of what `to_dict` wrote, lately or before there were tasks; the database keeps no order."""
        task = Task(document.get("task", Task.SEGMENTATION))
        int8 = document[f"int8_{task.judged_by}"]
        return cls(
            kept=document["kept"],
            images=document["images"],
            fp32=document[f"fp32_{task.judged_by}"],
            int8={name: int8[name] for name in METHODS if name in int8},
            layers=tuple(LayerNoise(**layer) for layer in document["worst_layers"]),
            task=task,
        )
