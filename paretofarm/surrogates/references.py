"""Up to where objectives count: the corners that hypervolumes are measured from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from paretofarm.pareto import hypervolume
from paretofarm.surrogates.improvement import expected_improvement

_WORTHWHILE = 0.003
"""Share of the lenient hypervolume that one more candidate has to promise for that one to come first."""
_FIRST = 50.0
"""By how much it then outweighs the demanding one."""
_BEYOND = 0.1
"""In ranges of the observations; see `References`."""


@dataclass(frozen=True)
class References:
    """Two reference points, [objectives] each, minimised.

    The demanding one is what random architectures are believed to be in the median: what is worse than that in anything
    is of little use. The lenient one is the worst that they are believed to be: with the first alone the ends of the
    front would never be looked for, and were it the worst observation, one hopeless network would move it. Where
    nothing has come within it, it lies beyond all observations. Improvements count relative to the hypervolume reached
    so far. First come those of the lenient one: a front's ends are found in a few steps, each of which is worth more
    than a dozen in its middle. Once no candidate promises much there, both count alike. best: of all observations,
    [objectives].
    """

    points: tuple[np.ndarray, ...]
    best: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, typical: np.ndarray, reached: np.ndarray) -> Self:
        """points: of at least one member; typical: of random architectures; reached: what counts; [any, objectives]."""
        worst, best = points.max(axis=0), points.min(axis=0)
        demanding, lenient = np.median(typical, axis=0), typical.max(axis=0)
        if not (reached < lenient).all(axis=1).any():
            lenient = worst + _BEYOND * (worst - best)
        return cls((demanding, lenient), best)

    def improvement(
        self, draws: Sequence[np.ndarray], reached: np.ndarray, front: np.ndarray, feasibility: np.ndarray
    ) -> np.ndarray:
        """Of candidates [candidates], where the more promising have more, in no unit.

        reached: the observed points; front: those and the believed ones; feasibility: probability that a candidate
        keeps all limits, [candidates].
        """
        demanding, lenient = (self._share(draws, reached, front, point) * feasibility for point in self.points)
        weight = _FIRST if lenient.max(initial=0.0) > _WORTHWHILE else 1.0
        return np.asarray(demanding + weight * lenient)

    def _share(
        self, draws: Sequence[np.ndarray], reached: np.ndarray, front: np.ndarray, point: np.ndarray
    ) -> np.ndarray:
        """Expected improvement relative to the hypervolume reached so far, or to all there is to reach."""
        volume = _volume(reached, point) or float(np.prod(np.maximum(point - self.best, 1e-12)))
        return np.asarray(expected_improvement(draws, front, point) / volume)


def _volume(points: np.ndarray, reference: np.ndarray) -> float:
    if len(reference) == 1:
        return max(0.0, float(reference[0] - points.min(initial=reference[0])))
    return hypervolume(points, reference)
