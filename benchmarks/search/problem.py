"""A table of measured architectures as a problem of two objectives whose true front is known."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.search.outcome import ACCURACY, LATENCY, Scores
from paretofarm.architecture import Architecture, Value
from paretofarm.choice import Choice
from paretofarm.description import Description
from paretofarm.pareto import hypervolume
from paretofarm.search_space import SearchSpace
from paretofarm.spaces.nas_bench_201 import OPERATIONS, NasBench201Space, describe


class TableProblem:
    """Error and latency of every architecture of a table.

    path: an .npz with `ops` [architectures, choices]; accuracy, latency: its columns, in percent and milliseconds;
    cheap_latency: latencies are known before anything is evaluated.
    """

    def __init__(self, path: Path, accuracy: str, latency: str, *, cheap_latency: bool = False) -> None:
        with np.load(path) as table:
            self._codes = table["ops"].astype(np.int64)
            errors, latencies = 100.0 - table[accuracy].astype(np.float64), table[latency].astype(np.float64)
        raw = np.stack([errors, latencies], axis=1)
        self._raw = raw
        self._points = (raw - raw.min(axis=0)) / np.ptp(raw, axis=0)
        self._cheap = cheap_latency

    @cached_property
    def space(self) -> SearchSpace:
        names = self._choices
        choices = [Choice(name, options) for name, options in names.items()]
        return SearchSpace("nas_bench_201", choices, self._rule, describe=self._describe)

    def metrics(self, architecture: Architecture) -> dict[str, float]:
        error, latency = self._raw[self._row(architecture.choices)]
        return {ACCURACY: 1.0 - float(error) / 100.0, LATENCY: float(latency)}

    def scores(self, architectures: Sequence[Architecture]) -> Scores:
        found = self._points[[self._row(architecture.choices) for architecture in architectures]]
        whole = [hypervolume(self._points, reference) for reference in self._references]
        worst, median = (hypervolume(found, reference) for reference in self._references)
        return Scores(worst / whole[0], median / whole[1])

    def quantile(self, share: float) -> float:
        """The latency that such a share of the architectures keeps, ms."""
        return float(np.quantile(self._raw[:, 1], share))

    def share(self, architectures: Sequence[Architecture], at_most_ms: float) -> float:
        """Hypervolume reached, relative to the best that keeps the limit; reference: the limit, and the worst error."""
        reference = np.array([self._raw[:, 0].max(), at_most_ms])
        found = self._raw[[self._row(architecture.choices) for architecture in architectures]].reshape(-1, 2)
        kept = self._raw[self._raw[:, 1] <= at_most_ms]
        return hypervolume(found, reference) / hypervolume(kept, reference)

    @cached_property
    def _references(self) -> tuple[np.ndarray, np.ndarray]:
        return np.ones(2), np.median(self._points, axis=0)

    @cached_property
    def _is_nas_bench_201(self) -> bool:
        return self._codes.shape[1] == 6 and int(self._codes.max()) < len(OPERATIONS)

    @cached_property
    def _choices(self) -> Mapping[str, tuple[Value, ...]]:
        if self._is_nas_bench_201:
            space = NasBench201Space(type="nas_bench_201").search_space()
            return {choice.name: choice.options for choice in space.choices}
        return {f"choice{place}": tuple(range(int(top) + 1)) for place, top in enumerate(self._codes.max(axis=0))}

    @cached_property
    def _numbers(self) -> Mapping[tuple[int, ...], int]:
        return {tuple(codes): row for row, codes in enumerate(self._codes.tolist())}

    def _key(self, choices: Mapping[str, Value]) -> tuple[int, ...]:
        return tuple(options.index(choices[name]) for name, options in self._choices.items())

    def _row(self, choices: Mapping[str, Value]) -> int:
        return self._numbers[self._key(choices)]

    def _rule(self, choices: Mapping[str, Value]) -> str | None:
        return None if self._key(choices) in self._numbers else "not in the table"

    def _describe(self, choices: Mapping[str, Value]) -> Description:
        described = describe(choices) if self._is_nas_bench_201 else Description()
        known = {LATENCY: float(self._raw[self._row(choices), 1])} if self._cheap else {}
        return Description(described.numbers, described.reduced, known)
