"""Up to where objectives count: the corners that hypervolumes are measured from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from paretofarm.pareto import hypervolume
from paretofarm.surrogates.improvement import expected_improvement

_DEMANDING, _LENIENT = 0.5, 0.9
"""Quantiles of what random architectures are believed to be that bound the hypervolume; see `References`."""
_BEYOND = 0.1
"""In ranges of the observations; see `References`."""


@dataclass(frozen=True)
class References:
    """Two reference points, [objectives] each, minimised.

    The demanding one is what random architectures are in the median: what is worse than that in anything is of little
    use. The lenient one leaves out only what is worse than nine tenths of them: with the first alone the ends of the
    front would never be looked for, and were it the worst of all, hopeless networks that are quick would draw most of a
    search. Where nothing has come within it, it lies beyond the worst of all observations. Improvements count relative
    to the hypervolume reached so far, so neither outweighs the other. best: of all observations, [objectives].
    """

    points: tuple[np.ndarray, ...]
    best: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, typical: np.ndarray, reached: np.ndarray) -> Self:
        """points: of at least one member; typical: of random architectures; reached: what counts; [any, objectives]."""
        worst, best = points.max(axis=0), points.min(axis=0)
        demanding, lenient = np.quantile(typical, (_DEMANDING, _LENIENT), axis=0)
        if not (reached < lenient).all(axis=1).any():
            lenient = worst + _BEYOND * (worst - best)
        return cls((demanding, lenient), best)

    def improvement(self, draws: Sequence[np.ndarray], reached: np.ndarray, front: np.ndarray) -> np.ndarray:
        """Of candidates [candidates]; reached: the observed points; front: those and the believed ones."""
        total = np.zeros(len(draws[0]))
        for point in self.points:
            volume = _volume(reached, point) or float(np.prod(np.maximum(point - self.best, 1e-12)))
            total += expected_improvement(draws, front, point) / volume
        return total


def _volume(points: np.ndarray, reference: np.ndarray) -> float:
    if len(reference) == 1:
        return max(0.0, float(reference[0] - points.min(initial=reference[0])))
    return hypervolume(points, reference)
