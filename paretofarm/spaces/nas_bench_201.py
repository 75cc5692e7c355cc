"""The cell of NAS-Bench-201 (Dong and Yang 2020; topology space of NATS-Bench): known from tables, without networks.

The official number of an architecture says nothing about it: the benchmark numbers them in an order of its own, which
any table of its results tells (`OfficialNumbers`).
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np

from paretofarm.architecture import Architecture, Value
from paretofarm.choice import Choice
from paretofarm.errors import ArchitectureError
from paretofarm.search_space import SearchSpace
from paretofarm.strict import Strict

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
"""In the order of the benchmark's own code, which numbers them so."""
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""(from node, to node), in the order of the benchmark's architecture strings; node 0 is the cell's input, 3 its output.
"""
CHOICES = tuple(f"edge_{source}_{target}" for source, target in EDGES)


class NasBench201Space(Strict):
    """One operation for each of a cell's six edges: 15,625 architectures."""

    type: Literal["nas_bench_201"]

    def search_space(self) -> SearchSpace:
        return SearchSpace(self.type, tuple(Choice(name, OPERATIONS) for name in CHOICES))


class OfficialNumbers:
    """Architectures by the number that the benchmark gave them, and back.

    operations: shape [architectures, 6], numbers into `OPERATIONS`, columns as in `EDGES`; the row is the number.
    """

    def __init__(self, operations: np.ndarray) -> None:
        if operations.ndim != 2 or operations.shape[1] != len(EDGES):
            raise ArchitectureError(
                f"nas_bench_201: operations have the shape [architectures, 6], not {operations.shape}"
            )
        if operations.size and operations.max() >= len(OPERATIONS):
            raise ArchitectureError(f"nas_bench_201: there is no operation {operations.max()}")
        self._operations = operations

    def __len__(self) -> int:
        return len(self._operations)

    def architecture(self, number: int) -> Architecture:
        return from_codes(self._operations[number].tolist())

    def number(self, architecture: Architecture) -> int:
        """ArchitectureError where the table has no such architecture."""
        try:
            return self._numbers[to_codes(architecture)]
        except KeyError as error:
            raise ArchitectureError(f"nas_bench_201: {to_string(architecture)} is not in the table") from error

    @cached_property
    def _numbers(self) -> dict[tuple[int, ...], int]:
        return {tuple(row): number for number, row in enumerate(self._operations.tolist())}


def from_codes(codes: Sequence[int]) -> Architecture:
    """The architecture with these operations, numbers into `OPERATIONS`, one per edge."""
    values: dict[str, Value] = {name: OPERATIONS[code] for name, code in zip(CHOICES, codes, strict=True)}
    return Architecture("nas_bench_201", values)


def to_codes(architecture: Architecture) -> tuple[int, ...]:
    return tuple(OPERATIONS.index(str(architecture.choices[name])) for name in CHOICES)


def to_string(architecture: Architecture) -> str:
    """As the literature writes it: `|nor_conv_3x3~0|+|none~0|skip_connect~1|+|…|`; each node lists its inputs."""
    nodes: dict[int, list[str]] = {}
    for (source, target), name in zip(EDGES, CHOICES, strict=True):
        nodes.setdefault(target, []).append(f"{architecture.choices[name]}~{source}")
    return "+".join(f"|{'|'.join(inputs)}|" for inputs in nodes.values())
