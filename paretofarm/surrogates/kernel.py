"""How alike two architectures are: a sum of kernels, with the derivatives that fitting it takes.

The first compares the space's numbers (Matérn 5/2, a length scale for each); the second counts choices that differ, as
they were made and as they take effect: exp(-weighted distances), which for categories is the kernel of Hutter et al.
2011 (SMAC, eq. 3) with one weight per block instead of one per choice, since a hundred choices and as many
observations would not settle a hundred weights. Where a trend is asked for there is a third, the product of the
numbers: the two others know nothing far from what was observed, a linear trend goes on (Rasmussen and Williams 2006,
section 2.7).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from paretofarm.described import Inputs

_SQRT_5 = float(np.sqrt(5.0))


@dataclass(frozen=True)
class Parts:
    """The kernels between two sets of rows, each [rows, columns], and what their derivatives reuse."""

    of_numbers: np.ndarray
    of_choices: np.ndarray
    scaled: np.ndarray
    decay: np.ndarray
    of_trend: np.ndarray | None = None

    @property
    def total(self) -> np.ndarray:
        both = self.of_numbers + self.of_choices
        return np.asarray(both if self.of_trend is None else both + self.of_trend)


@dataclass(frozen=True)
class Scaled:
    """Rows on the kernel's own scale: numbers standardised, blocks of choices so that their mean distance is one."""

    numbers: np.ndarray
    blocks: tuple[np.ndarray, ...]

    def __add__(self, other: "Scaled") -> "Scaled":
        blocks = zip(self.blocks, other.blocks, strict=True)
        return Scaled(np.concatenate((self.numbers, other.numbers)), tuple(np.concatenate(block) for block in blocks))

    def __getitem__(self, rows: np.ndarray) -> "Scaled":
        return Scaled(self.numbers[rows], tuple(block[rows] for block in self.blocks))


class Scaling:
    """Brings rows to the scale of a sample of them."""

    def __init__(self, inputs: Inputs) -> None:
        self._mean = inputs.numbers.mean(axis=0)
        spread = inputs.numbers.std(axis=0)
        self._telling = spread > 1e-9 * (1.0 + np.abs(self._mean))
        self._spread = spread[self._telling]
        self._factors = [1.0 / np.sqrt(max(2.0 * block.var(axis=0).sum(), 1e-9)) for block in inputs.blocks]

    def __call__(self, inputs: Inputs) -> Scaled:
        numbers = (inputs.numbers - self._mean)[:, self._telling] / self._spread
        blocks = zip(inputs.blocks, self._factors, strict=True)
        return Scaled(numbers, tuple(block * factor for block, factor in blocks))


class Kernel:
    """The kernel at one setting of its logarithmic parameters.

    theta: log of [amplitude of the numbers' part, amplitude of the choices' part, noise variance, one inverse squared
    length scale per number, one weight per block of choices, with a trend its amplitude], for targets of unit variance.
    """

    def __init__(self, theta: np.ndarray, numbers: int, *, trend: bool = False) -> None:
        self.theta = theta
        self.amplitudes = np.exp(theta[:2])
        self.noise = float(np.exp(theta[2]))
        self._scales = np.exp(theta[3 : 3 + numbers])
        self._weights = np.exp(theta[3 + numbers : -1 if trend else None])
        self._slope = float(np.exp(theta[-1])) / max(numbers, 1) if trend else None

    def variance(self, rows: Scaled) -> np.ndarray:
        """Before anything is observed, [rows]."""
        whole = np.full(len(rows.numbers), self.amplitudes.sum())
        return whole if self._slope is None else whole + self._slope * (rows.numbers * rows.numbers).sum(axis=1)

    def __call__(self, rows: Scaled, columns: Scaled) -> Parts:
        blocks = zip(rows.blocks, columns.blocks, strict=True)
        return self._parts(rows, columns, [_squared_distances(left, right) for left, right in blocks])

    def within(self, sample: "Sample") -> Parts:
        """Between all rows of a sample, whose blocks need not be compared again."""
        return self._parts(sample.rows, sample.rows, sample.distances)

    def _parts(self, rows: Scaled, columns: Scaled, distances: Sequence[np.ndarray]) -> Parts:
        """distances: by block of choices, [rows, columns]."""
        scaled = _SQRT_5 * np.sqrt(_squared_distances(rows.numbers, columns.numbers, self._scales) + 1e-12)
        decay = np.exp(-scaled)
        of_numbers = self.amplitudes[0] * (1.0 + scaled + scaled * scaled / 3.0) * decay
        exponent = np.zeros_like(scaled)
        for weight, apart in zip(self._weights, distances, strict=True):
            exponent += weight * apart
        of_trend = None if self._slope is None else self._slope * rows.numbers @ columns.numbers.T
        return Parts(of_numbers, self.amplitudes[1] * np.exp(-exponent), scaled, decay, of_trend)

    def gradient(self, outer: np.ndarray, parts: Parts, sample: "Sample") -> np.ndarray:
        """Of Σ outer ⊙ K over theta, for the square kernel of a sample with its noise on the diagonal.

        The derivative of the Matérn part is -5/6 a (1 + q) exp(-q) by r²; Σ C_ij (x_i - x_j)² is two matrix products.
        """
        by_distance = outer * (-5.0 / 6.0 * self.amplitudes[0] * (1.0 + parts.scaled) * parts.decay)
        numbers = sample.rows.numbers
        weighted = by_distance.sum(axis=1) @ (numbers * numbers) - (numbers * (by_distance @ numbers)).sum(axis=0)
        by_exponent = -outer * parts.of_choices
        blocks = [np.vdot(by_exponent, distances) for distances in sample.distances]
        heads = [np.vdot(outer, parts.of_numbers), np.vdot(outer, parts.of_choices), np.trace(outer) * self.noise]
        trend = [] if parts.of_trend is None else [np.vdot(outer, parts.of_trend)]
        return np.concatenate((heads, 2.0 * weighted * self._scales, np.array(blocks) * self._weights, trend))


@dataclass(frozen=True)
class Sample:
    """The rows that a kernel is fitted to, and their distances by block of choices, which do not change meanwhile."""

    rows: Scaled

    @cached_property
    def distances(self) -> tuple[np.ndarray, ...]:
        return tuple(_squared_distances(block, block) for block in self.rows.blocks)


def _squared_distances(left: np.ndarray, right: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """[rows, columns] of Σ w (x - y)²."""
    if weights is not None:
        left, right = left * np.sqrt(weights), right * np.sqrt(weights)
    squares = (left * left).sum(axis=1)[:, None] + (right * right).sum(axis=1)[None, :] - 2.0 * left @ right.T
    return np.asarray(np.maximum(squares, 0.0))
