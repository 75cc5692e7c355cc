"""How the ranges of a trained network's activations were chosen, and what quantization costs it. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from paretofarm.activation_histogram import ActivationHistogram, ClippingRange

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


def best_method(miou: Mapping[str, float]) -> str:
    """The one to keep, by the score of the network that it gives."""
    return max(METHODS, key=lambda method: miou.get(method, -1.0))


@dataclass(frozen=True)
class LayerNoise:
    """What is lost where nothing but this layer's weights and output is quantized.

    layer: as in the ONNX network; sqnr_db: signal to noise of the logits, decibels; changed: share of the pixels that
    get another class.
    """

    layer: str
    op: str
    sqnr_db: float
    changed: float


@dataclass(frozen=True)
class CalibrationResult:
    """int8, fp32: mIoU over the same `images` of the validation split, run on the host that compiled; int8 by method.

    layers: those that cost most, worst first; empty where nobody asked.
    """

    kept: str
    images: int
    fp32: float
    int8: Mapping[str, float]
    layers: tuple[LayerNoise, ...] = ()

    @property
    def gap_points(self) -> float:
        """What quantization costs, in points of mIoU (hundredths)."""
        return self.gap_points_of(self.kept)

    def gap_points_of(self, method: str) -> float:
        return 100 * (self.fp32 - self.int8[method])

    def to_dict(self) -> dict[str, Any]:
        return {
            "kept": self.kept,
            "images": self.images,
            "fp32_miou": self.fp32,
            "int8_miou": dict(self.int8),
            "gap_points": self.gap_points,
            "worst_layers": [asdict(layer) for layer in self.layers],
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Of what `to_dict` wrote; the database keeps no order."""
        return cls(
            kept=document["kept"],
            images=document["images"],
            fp32=document["fp32_miou"],
            int8={name: document["int8_miou"][name] for name in METHODS if name in document["int8_miou"]},
            layers=tuple(LayerNoise(**layer) for layer in document["worst_layers"]),
        )
