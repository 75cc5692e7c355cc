"""Quantizes a trained network with several calibrations and keeps the one whose network scores best."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import onnx

from paretofarm.activation_histogram import Values
from paretofarm.calibration import CalibrationResult, LayerNoise, best_method
from workers.scored_images import Predictor
from workers.toolchains.activations import activation_histograms
from workers.toolchains.held_out import HeldOut, part
from workers.toolchains.layer_noise import layer_noise
from workers.toolchains.port import Image, Images
from workers.toolchains.ranges import Ranges, clipping_ranges

NOISE_IMAGES = 8
RANGES_DONE, SCORES_DONE = 0.3, 0.7
"""Shares of the work."""


class Quantization(Protocol):
    """How one runtime quantizes a network. Errors are those of `Toolchain.compile`, or `OnnxRuntimeErrors`."""

    @property
    def prepared(self) -> Path:
        """The float network in the form that is quantized."""

    @property
    def levels(self) -> int:
        """How many values a quantized activation can have."""

    @property
    def class_axis(self) -> int:
        """Of the prepared network's logits."""

    def given(self, image: Image) -> Values:
        """An image as the prepared network takes it."""

    def quantize(self, ranges: Ranges, out: Path) -> None:
        """Writes the network with activations in these ranges, in QDQ form."""

    def float_predictor(self) -> Predictor:
        """Of the prepared network."""

    def predictor(self, quantized: Path) -> Predictor:
        """Of a network that `quantize` wrote. Both run on this host's CPU."""


@dataclass(frozen=True)
class Kept:
    """The best calibration's ranges and network, and what it was compared with."""

    ranges: Ranges
    network: Path
    result: CalibrationResult


def compare(
    quantization: Quantization, images: Images, tried: Sequence[str], held_out: HeldOut, folder: Path, *, layers: bool
) -> Kept:
    """images: to calibrate with. tried: methods. layers: whether to look for the worst ones. folder: for its files."""
    tell = held_out.on_progress
    given = _Given(quantization, images)
    histograms = activation_histograms(quantization.prepared, given, part(tell, 0, RANGES_DONE))
    prepared = onnx.load(quantization.prepared)
    ranges = {method: clipping_ranges(prepared.graph, histograms, method, quantization.levels) for method in tried}
    networks = {method: folder / f"{method}.onnx" for method in tried}
    for method, network in networks.items():
        quantization.quantize(ranges[method], network)
    fp32, int8 = _scores(quantization, networks, held_out)
    kept = best_method(int8)
    noise = _noise(quantization, prepared, networks[kept], held_out) if layers else ()
    result = CalibrationResult(kept, len(held_out.labelled), fp32, int8, noise, held_out.labelled.task)
    return Kept(ranges[kept], networks[kept], result)


@dataclass(frozen=True)
class _Given:
    """Images as the prepared network takes them."""

    quantization: Quantization
    images: Images

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[Values]:
        return map(self.quantization.given, self.images)


def _scores(
    quantization: Quantization, networks: Mapping[str, Path], held_out: HeldOut
) -> tuple[float, dict[str, float]]:
    """Before quantization, and after it by method."""
    predictors = [quantization.float_predictor(), *(quantization.predictor(path) for path in networks.values())]
    step = (SCORES_DONE - RANGES_DONE) / len(predictors)
    starts = [RANGES_DONE + step * number for number in range(len(predictors))]
    before, *after = (
        held_out.score(predictor, part(held_out.on_progress, start, start + step))
        for predictor, start in zip(predictors, starts, strict=True)
    )
    return before, dict(zip(networks, after, strict=True))


def _noise(
    quantization: Quantization, prepared: onnx.ModelProto, quantized: Path, held_out: HeldOut
) -> tuple[LayerNoise, ...]:
    labelled = held_out.labelled
    images = [labelled.inputs(index, index + 1) for index in range(min(NOISE_IMAGES, len(labelled)))]
    return layer_noise(
        prepared,
        onnx.load(quantized),
        [quantization.given(image) for image in images],
        class_axis=quantization.class_axis,
        on_progress=part(held_out.on_progress, SCORES_DONE, 1.0),
    )
