"""Results of the suite as a picture: hypervolume against evaluations, a panel per problem."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cli.plot import DPI

COLOURS = {
    "surrogate_pareto": "#c2410c",
    "evolution_pareto": "#1d4ed8",
    "nsga2": "#0f766e",
    "local_search": "#7e22ce",
    "regularized_evolution": "#a16207",
    "random": "#6b7280",
}


def save_plot(results: Mapping[str, Sequence[Mapping[str, Any]]], problems: Sequence[str], path: Path) -> None:
    shown = [problem for problem in problems if any(name.startswith(f"{problem}: ") for name in results)]
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.6 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for problem, axes in zip(shown, panels, strict=False):
        _panel(axes, problem, results)
    for axes in panels[len(shown) :]:
        axes.axis("off")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path, dpi=DPI)


def _panel(axes: Axes, problem: str, results: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    for name, runs in results.items():
        place, _, title = name.partition(": ")
        if place == problem:
            _curve(axes, title, runs)
    axes.set(title=problem, xscale="log", xlabel="evaluations", ylabel="hypervolume (medians)", ylim=(0.2, 1.06))
    axes.set_xticks([40, 100, 200, 500, 1000], ["40", "100", "200", "500", "1000"])
    axes.minorticks_off()
    axes.grid(alpha=0.25)


def _curve(axes: Axes, title: str, runs: Sequence[Mapping[str, Any]]) -> None:
    budgets = [int(budget) for budget in runs[0]["hv"]]
    values = np.array([list(run["hv_median_ref"].values()) for run in runs])
    mean, error = values.mean(axis=0), values.std(axis=0, ddof=min(1, len(values) - 1)) / len(values) ** 0.5
    algorithm, _, manner = title.partition(", ")
    style = {"": "-", "latency known": "--", "long": "-."}.get(manner, ":")
    axes.plot(budgets, mean, style, color=COLOURS[algorithm], label=title, linewidth=1.6)
    axes.fill_between(budgets, mean - error, mean + error, color=COLOURS[algorithm], alpha=0.18, linewidth=0)
