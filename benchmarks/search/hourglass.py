"""A problem of formulas over the hourglass space for phones: more than a hundred conditional choices, nothing to train.

Not a model of any data set or phone. It has what makes such searches hard: smooth interactions (width without detail
gains nothing, nor does detail without context), plateaus (channels are padded to the accelerator's lanes, what a
network sees saturates at the whole image, quick layers cost their launch), trainings that suffer from depth, and a part
that nothing but the choices themselves explains. The true front is not known; what long searches together have found
stands for it (`python -m benchmarks.search.hourglass_front`).
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.search.outcome import ACCURACY, LATENCY, Scores
from paretofarm.architecture import Architecture, Value
from paretofarm.description import Description
from paretofarm.pareto import hypervolume
from paretofarm.search_space import SearchSpace
from paretofarm.spaces import HourglassMobileSpace
from paretofarm.spaces.layer_costs import LayerCost, layer_cost, numbers
from paretofarm.spaces.plan import LayerPlan, NetworkPlan, read_plan

KNOWN_FRONT = Path(__file__).parents[1] / "data" / "hourglass_front.json"
SETTINGS = HourglassMobileSpace(type="hourglass_mobile", input_size=256)
WAVES = 60
"""Of which the part of the accuracy is made that no summary of an architecture explains."""
UNEXPLAINED = 0.012
"""Its standard deviation."""
LANES = 32
"""Channels that the imagined accelerator computes at once."""
LAUNCH_MS, MACS_PER_MS, ELEMENTS_PER_MS = 0.02, 4e8, 4e6
WORTH = {"conv": 1.0, "dwsep": 0.7, "mbconv": 0.85}
"""Of a layer's parameters, by its kind."""
RATE = {"conv": 1.0, "dwsep": 0.35, "mbconv": 0.5}
"""Share of its multipliers that the accelerator can use, by the kind of layer."""


class HourglassProblem:
    """Accuracy and latency of every architecture, by formula; cheap_latency: it is known before anything is tried."""

    def __init__(self, *, cheap_latency: bool = False) -> None:
        self._cheap = cheap_latency

    @cached_property
    def space(self) -> SearchSpace:
        space = SETTINGS.search_space()
        return SearchSpace(space.name, space.choices, describe=self._describe) if self._cheap else space

    def _describe(self, choices: Mapping[str, Value]) -> Description:
        plan = read_plan(SETTINGS, choices)
        return Description(numbers(plan), known={LATENCY: _latency_ms(plan)})

    def metrics(self, architecture: Architecture) -> dict[str, float]:
        plan = read_plan(SETTINGS, architecture.choices)
        accuracy = _accuracy(plan) + self._unexplained(architecture)
        return {ACCURACY: min(max(accuracy, 0.0), 1.0), LATENCY: _latency_ms(plan)}

    def raw(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """Error and latency in ms, [architectures, 2]."""
        told = [self.metrics(architecture) for architecture in architectures]
        return np.array([[1.0 - metrics[ACCURACY], metrics[LATENCY]] for metrics in told])

    def scores(self, architectures: Sequence[Architecture]) -> Scores:
        """Relative to the known front; a search that finds better ones may exceed 1."""
        found, front = self._scaled(self.raw(architectures)), self._scaled(self._known["front"])
        references = (np.ones(2), self._scaled(self._known["median"]))
        worst, median = (hypervolume(found, point) / hypervolume(front, point) for point in references)
        return Scores(worst, median)

    @cached_property
    def _known(self) -> Mapping[str, np.ndarray]:
        document = json.loads(KNOWN_FRONT.read_text(encoding="utf-8"))
        return {name: np.array(points) for name, points in document.items()}

    def _scaled(self, points: np.ndarray) -> np.ndarray:
        best = self._known["front"].min(axis=0)
        return np.asarray((points - best) / (self._known["worst"] - best))

    def _unexplained(self, architecture: Architecture) -> float:
        directions, phases = self._waves
        return (
            float(np.cos(directions @ self.space.encode(architecture) + phases).sum())
            * UNEXPLAINED
            / math.sqrt(WAVES / 2)
        )

    @cached_property
    def _waves(self) -> tuple[np.ndarray, np.ndarray]:
        """Each looks at about an eighth of all choices."""
        rng = np.random.default_rng(0)
        shape = (WAVES, len(self.space.encoding_names))
        return rng.normal(0.0, 1.5, shape) * (rng.random(shape) < 0.125), rng.uniform(0.0, 2 * math.pi, WAVES)


def _accuracy(plan: NetworkPlan) -> float:
    """Of what a network can hold, how finely it sees and how much of the image: none is worth much alone."""
    placed = list(_layers(plan))
    worth = sum(WORTH[cost.kind] * math.log1p(cost.parameters / 1000) for _, cost, _ in placed)
    capacity = 1.0 - math.exp(-worth / 90)
    context = math.tanh(_field(placed) / plan.resolution)
    detail = 1.0 / (1.0 + math.exp(-_sharpness(plan)))
    strain = 0.004 * max(0, len(placed) - 45)
    return 0.1 + 0.8 * math.pow(capacity, 0.7) * (0.3 + 0.7 * detail) * (0.5 + 0.5 * context) - strain


def _field(placed: Sequence[tuple[LayerPlan, LayerCost, float]]) -> float:
    """Side of what an output pixel really depends on, in pixels: it grows with the root of depth (Luo et al. 2016)."""
    return math.sqrt(sum(((cost.kernel - 1) * step) ** 2 for _, cost, step in placed)) / 2


def _sharpness(plan: NetworkPlan) -> float:
    """Fine where the last maps are, where skips carry detail past the coarse ones and layers follow at full size."""
    skips = sum(1 for hourglass in plan.hourglasses for block in hourglass.skip[:3] if block)
    return math.log2(plan.resolution / plan.stem_stride / 64) + 0.4 * skips + 0.8 * math.sqrt(len(plan.post))


def _latency_ms(plan: NetworkPlan) -> float:
    return sum(LAUNCH_MS + _layer_ms(layer, cost) for layer, cost, _ in _layers(plan))


def _layer_ms(layer: LayerPlan, cost: LayerCost) -> float:
    """Whichever takes longer, computing or writing; channels are padded."""
    padded = math.ceil(layer.out_channels / LANES) * LANES / layer.out_channels
    return max(cost.macs * padded / (MACS_PER_MS * RATE[cost.kind]), cost.elements / ELEMENTS_PER_MS)


def _layers(plan: NetworkPlan) -> Iterator[tuple[LayerPlan, LayerCost, float]]:
    """Each with its cost, and how many pixels of the image lie between two of its outputs."""
    base = plan.resolution // plan.stem_stride
    for hourglass in plan.hourglasses:
        for level, block in enumerate(hourglass.down):
            yield from _at(block, base, plan.stem_stride, level)
        for blocks in (hourglass.skip, hourglass.up):
            for level, block in enumerate(blocks):
                yield from _at(block, base, plan.stem_stride, level)
    yield from _at(plan.post, plan.resolution, 1, 0)


def _at(block: Sequence[LayerPlan], base: int, stride: int, level: int) -> Iterator[tuple[LayerPlan, LayerCost, float]]:
    for layer in block:
        yield layer, layer_cost(layer, base >> level), float(stride << level)
