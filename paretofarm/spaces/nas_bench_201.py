"""The cell of NAS-Bench-201 (Dong and Yang 2020; topology space of NATS-Bench): known from tables, without networks.

The official number of an architecture says nothing about it: the benchmark numbers them in an order of its own, which
any table of its results tells (`OfficialNumbers`).
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from paretofarm.architecture import Architecture, Value
from paretofarm.choice import Choice
from paretofarm.description import Description
from paretofarm.errors import ArchitectureError
from paretofarm.search_space import SearchSpace
from paretofarm.strict import Strict
from paretofarm.task import Task

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
"""In the order of the benchmark's own code, which numbers them so."""
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""(from node, to node), in the order of the benchmark's architecture strings; node 0 is the cell's input, 3 its output.
"""
Edge = tuple[int, int]
_OUTPUT = 3
NONE = OPERATIONS[0]
_ROUTES: tuple[tuple[Edge, ...], ...] = (((0, 3),), ((0, 1), (1, 3)), ((0, 2), (2, 3)), ((0, 1), (1, 2), (2, 3)))
_CONVOLUTIONS = {"nor_conv_1x1": 1, "nor_conv_3x3": 9}
"""With their MACs, relative to each other."""
CHOICES = tuple(f"edge_{source}_{target}" for source, target in EDGES)


class NasBench201Space(Strict):
    """One operation for each of a cell's six edges: 15,625 architectures."""

    task: ClassVar[Task] = Task.CLASSIFICATION
    type: Literal["nas_bench_201"]

    def search_space(self) -> SearchSpace:
        return SearchSpace(self.type, tuple(Choice(name, OPERATIONS) for name in CHOICES), describe=describe)


def describe(choices: Mapping[str, Value]) -> Description:
    """Of the part of the cell that connects its input with its output: operations, paths, relative MACs; and of what a
    phone computes, which is more: which operations there are how often."""
    made = {edge: str(choices[name]) for edge, name in zip(EDGES, CHOICES, strict=True)}
    reduced, executed = _connected(made), _executed(made)
    paths = [path for path in ([reduced[edge] for edge in route] for route in _ROUTES) if NONE not in path]
    counts = {operation: list(reduced.values()).count(operation) for operation in OPERATIONS[1:]}
    convolutions = [sum(operation in _CONVOLUTIONS for operation in path) for path in paths]
    large = [path.count("nor_conv_3x3") for path in paths]
    pooled = [path.count("avg_pool_3x3") for path in paths]
    numbers = {
        **{operation: float(count) for operation, count in counts.items()},
        **{f"{operation}, executed": float(executed.count(operation)) for operation in counts},
        "log_macs": float(np.log1p(sum(weight * counts[operation] for operation, weight in _CONVOLUTIONS.items()))),
        "paths": float(len(paths)),
        "different_paths": float(len({tuple(path) for path in paths})),
        "most_convolutions": float(max(convolutions, default=-1)),
        "least_convolutions": float(min(convolutions, default=-1)),
        "mean_convolutions": float(np.mean(convolutions)) if paths else -1.0,
        "most_3x3": float(max(large, default=0)),
        "most_pools": float(max(pooled, default=0)),
        "least_pools": float(min(pooled, default=0)),
        "identity": float(any(set(path) == {"skip_connect"} for path in paths)),
    }
    return Description(numbers, {name: reduced[edge] for edge, name in zip(EDGES, CHOICES, strict=True)})


def _connected(operations: Mapping[Edge, str]) -> dict[Edge, str]:
    """Every edge that lies on no path from input to output is set to none."""
    useful = {edge for route in _ROUTES if all(operations[edge] != NONE for edge in route) for edge in route}
    return {edge: operation if edge in useful else NONE for edge, operation in operations.items()}


def _executed(operations: Mapping[Edge, str]) -> list[str]:
    """What the output is computed from. A runtime leaves out what nothing depends on; that what comes out of a node
    without an input is zero, it does not know."""
    needed, executed = {_OUTPUT}, list[str]()
    for edge, operation in sorted(operations.items(), key=lambda item: -item[0][1]):
        if edge[1] in needed and operation != NONE:
            needed.add(edge[0])
            executed.append(operation)
    return executed


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
