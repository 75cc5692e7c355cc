"""Architectures as rows of numbers: what a surrogate sees of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from paretofarm.architecture import Architecture


@dataclass(frozen=True)
class Row:
    """One architecture as a surrogate sees it.

    blocks: float64 [any] each, the same for all of a space: ordered choices, other choices and, where the space tells,
    those that take effect; numbers: float64 [numbers]; known: metrics whose exact values cost nothing.
    """

    blocks: tuple[np.ndarray, ...]
    numbers: np.ndarray
    known: Mapping[str, float]


@dataclass(frozen=True)
class Inputs:
    """Rows below each other: float64 [rows, …]."""

    blocks: tuple[np.ndarray, ...]
    numbers: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Inputs":
        """At least one row, all of one space."""
        blocks = zip(*(row.blocks for row in rows), strict=True)
        return cls(tuple(np.stack(block) for block in blocks), np.stack([row.numbers for row in rows]))

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: np.ndarray) -> "Inputs":
        return Inputs(tuple(block[rows] for block in self.blocks), self.numbers[rows])


@dataclass
class Described:
    """Rows of the architectures that were described last, by digest; describing one takes part of a millisecond."""

    describe: Callable[[Architecture], Row]
    capacity: int = 8192
    _rows: dict[str, Row] = field(default_factory=dict)

    def recall(self, digest: str) -> Row | None:
        """Of an architecture that was described lately."""
        row = self._rows.pop(digest, None)
        if row is not None:
            self._rows[digest] = row
        return row

    def row(self, architecture: Architecture) -> Row:
        """Remembered, or described now; what has not been asked for the longest is forgotten."""
        row = self.recall(architecture.digest)
        if row is None:
            row = self._rows[architecture.digest] = self.describe(architecture)
            if len(self._rows) > self.capacity:
                del self._rows[next(iter(self._rows))]
        return row
