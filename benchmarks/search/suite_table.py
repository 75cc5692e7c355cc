"""Results of the suite as tables for people."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Results = Mapping[str, Sequence[Mapping[str, Any]]]
MEDIANS, WORST = "hv_median_ref", "hv"
GOALS = {MEDIANS: 0.9, WORST: 0.99}
"""Hypervolume by what is its reference; how many evaluations it takes is told."""


def write_tables(results: Results, path: Path) -> None:
    """A table per problem: a line per entry, means over seeds by number of evaluations."""
    sections: dict[str, list[str]] = {}
    for name in results:
        sections.setdefault(name.partition(": ")[0], []).append(name)
    lines = [line for problem, names in sections.items() for line in _section(problem, names, results)]
    path.write_text("\n".join(["# Searches compared", "", *_head(), *lines]) + "\n", encoding="utf-8")


def _head() -> Iterator[str]:
    yield "`python -m benchmarks.search.suite`; how to read it: [README](../README.md#evaluations-that-a-search-needs)."
    yield "Hypervolume relative to the true front's with the medians of the problem as reference, mean over the seeds ±"
    yield "its standard error; in brackets with the worst as reference."


def _section(problem: str, names: Sequence[str], results: Results) -> Iterator[str]:
    budgets = sorted({int(budget) for name in names for budget in results[name][0][WORST]})
    yield from ("", f"## {problem}", "")
    goals = f"{GOALS[MEDIANS]} after | ({GOALS[WORST]}) after"
    yield f"| | {' | '.join(map(str, budgets))} | {goals} | seeds | ms a proposal |"
    yield f"|---|{'---|' * (len(budgets) + 4)}"
    for name in sorted(names, key=lambda name: -mean_curve(results[name])[min(200, budgets[-1])]):
        runs = results[name]
        cells = " | ".join(_cell(runs, str(budget)) for budget in budgets)
        pace = np.mean([run["seconds_per_proposal"] for run in runs]) * 1e3
        title, after = name.partition(": ")[2], " | ".join(reached(runs, reference) for reference in GOALS)
        yield f"| {title} | {cells} | {after} | {len(runs)} | {pace:.0f} |"


def _cell(runs: Sequence[Mapping[str, Any]], budget: str) -> str:
    if budget not in runs[0][WORST]:
        return ""
    values = np.array([run[MEDIANS][budget] for run in runs])
    error = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return f"{values.mean():.3f} ± {error:.3f} ({np.mean([run[WORST][budget] for run in runs]):.3f})"


def mean_curve(runs: Sequence[Mapping[str, Any]], reference: str = MEDIANS) -> dict[int, float]:
    """By number of evaluations."""
    return {int(budget): float(np.mean([run[reference][budget] for run in runs])) for budget in runs[0][reference]}


def reached(runs: Sequence[Mapping[str, Any]], reference: str) -> str:
    """After how many evaluations the mean reaches the goal, linear between budgets."""
    curve, goal = mean_curve(runs, reference), GOALS[reference]
    budgets, values = np.array(list(curve)), np.array(list(curve.values()))
    if values.max() < goal:
        return f"> {budgets[-1]}"
    after = int(np.argmax(values >= goal))
    if after == 0:
        return f"≤ {budgets[0]}"
    return f"{np.interp(goal, values[after - 1 : after + 1], budgets[after - 1 : after + 1]):.0f}"
