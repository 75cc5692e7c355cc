"""Draws a search's candidates and Pareto front into a PNG, PDF or SVG file."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from textwrap import fill

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from cli.labels import place_labels
from cli.picture import Axis, Dot, Picture
from paretofarm.apart import apart
from paretofarm.errors import ConfigError
from paretofarm.metrics import Goal

DPI = 150
COLOURS = "viridis"
FRONT, INK, BARS = "#d55e00", "#333333", "#8a8a8a"
LOG_FROM = 10.0
"""An axis whose greatest value is so many times the smallest is logarithmic."""
LABELLED = 20
"""Front members that get their id; more would cover each other."""


def save_picture(picture: Picture, path: Path) -> None:
    """Errors: ConfigError where the file cannot be written or its suffix is no format of pictures."""
    figure = draw(picture)
    try:
        figure.savefig(path, dpi=DPI)
    except OSError as error:
        raise ConfigError(f"{path}: cannot write the picture: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error


def draw(picture: Picture) -> Figure:
    """A figure of one panel, and with three objectives two smaller ones beside it."""
    three = len(picture.axes) > 2
    margins = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
    figure = Figure(figsize=(11, 6.2) if three else (8.6, 6.2), layout=margins)
    if not picture.dots:
        _say_nothing(figure, picture)
    elif len(picture.axes) == 1:
        _draw_course(figure.subplots(), picture)
    elif three:
        _draw_three(figure, picture)
    else:
        _draw_two(figure, picture)
    figure.suptitle(picture.title, fontsize=13, x=0.02, ha="left", fontweight="bold", color=INK)
    figure.supxlabel(fill(picture.caption, 150 if three else 128), fontsize=8, x=0.02, ha="left", color="#555555")
    return figure


def _say_nothing(figure: Figure, picture: Picture) -> None:
    axes = figure.subplots()
    axes.set_axis_off()
    axes.text(0.5, 0.5, "no complete candidate yet", ha="center", va="center", fontsize=14, color=INK)


def _draw_two(figure: Figure, picture: Picture) -> None:
    panel = figure.subplots()
    numbers = [dot.number for dot in picture.dots]
    shade = ScalarMappable(Normalize(min(numbers), max(max(numbers), min(numbers) + 1)), COLOURS)
    _scatter(panel, picture, picture.axes[0], picture.axes[1], shade, numbers, labels=True)
    _colour_bar(figure, panel, shade, "candidate (in order of proposal)", whole=True)


def _draw_three(figure: Figure, picture: Picture) -> None:
    panels = figure.subplot_mosaic([["main", "upper"], ["main", "lower"]], width_ratios=(2.1, 1))
    x, y, third = picture.axes
    values = [dot.values[third.key] for dot in picture.dots]
    norm = LogNorm if _is_wide(values) else Normalize
    shade = ScalarMappable(norm(min(values), max(values) if max(values) > min(values) else min(values) + 1), COLOURS)
    _scatter(panels["main"], picture, x, y, shade, values, labels=True)
    _scatter(panels["upper"], picture, third, y, shade, values, labels=False)
    _scatter(panels["lower"], picture, third, x, shade, values, labels=False)
    _colour_bar(figure, panels["main"], shade, third.label, whole=False)


def _scatter(
    panel: Axes, picture: Picture, x: Axis, y: Axis, shade: ScalarMappable, values: Sequence[float], *, labels: bool
) -> None:
    """All dots, the front on top. Only a front of two objectives is a line: of three it is a surface."""
    _prepare(panel, picture.dots, x, y)
    shaded = list(zip(picture.dots, shade.to_rgba(np.array(values)), strict=True))
    for on_front, noisy in product((False, True), repeat=2):
        group = [(dot, colour) for dot, colour in shaded if (dot.on_front, dot.noisy) == (on_front, noisy)]
        if group:
            _dots(panel, group, x, y, size=46.0 if labels else 22.0)
            _bars(panel, [dot for dot, _ in group], x, y)
    if len(picture.axes) == 2:
        _front_line(panel, picture.front, x, y)
    if labels:
        place_labels(panel, _labelled(picture.front, x), picture.dots, x.key, y.key)
        _legend(panel, picture)


def _dots(panel: Axes, group: Sequence[tuple[Dot, np.ndarray]], x: Axis, y: Axis, *, size: float) -> None:
    """Dots that are drawn alike: all on the front or none, all noisy (hollow) or none."""
    first = group[0][0]
    colours = [tuple(colour) for _, colour in group]
    panel.scatter(
        [dot.values[x.key] for dot, _ in group],
        [dot.values[y.key] for dot, _ in group],
        s=size * (1.7 if first.on_front else 1.0),
        facecolors="none" if first.noisy else colours,
        edgecolors=FRONT if first.on_front else colours if first.noisy else "white",
        linewidths=1.8 if first.on_front else 1.4 if first.noisy else 0.6,
        zorder=4 if first.on_front else 3,
    )


def _bars(panel: Axes, dots: Sequence[Dot], x: Axis, y: Axis) -> None:
    for axis in (x, y):
        known = [dot for dot in dots if axis.key in dot.intervals]
        if known:
            values = np.array([dot.values[axis.key] for dot in known])
            low, high = np.array([dot.intervals[axis.key] for dot in known]).T
            reach = np.maximum([values - low, high - values], 0.0)
            panel.errorbar(
                [dot.values[x.key] for dot in known],
                [dot.values[y.key] for dot in known],
                xerr=reach if axis is x else None,
                yerr=reach if axis is y else None,
                fmt="none",
                ecolor=FRONT if known[0].on_front else BARS,
                elinewidth=1.0,
                capsize=2.5,
                zorder=2,
            )


def _prepare(panel: Axes, dots: Sequence[Dot], x: Axis, y: Axis) -> None:
    for axis, direction in ((x, "x"), (y, "y")):
        values = [dot.values[axis.key] for dot in dots]
        better = "more is better" if axis.goal is Goal.MAXIMIZE else "less is better"
        panel.set(**{f"{direction}label": f"{axis.label}, {better}"})
        ruler = panel.xaxis if direction == "x" else panel.yaxis
        if _is_wide(values):
            panel.set(**{f"{direction}scale": "log"})
            decades = np.log10(max(values) / min(values))
            ruler.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2 else (1.0, 3.0)[: 4 - int(decades)]))
            ruler.set_minor_formatter("")
        if _is_wide(values) or max(values) >= 10_000:
            ruler.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))
    panel.grid(which="major", color="#e4e4e4", linewidth=0.7)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.margins(0.07)


def _is_wide(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) > LOG_FROM * min(values)


def short_number(value: float) -> str:
    """1200000 → 1.2M, 35000 → 35k, 2.5 → 2.5."""
    for factor, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= max(factor, 1e4):
            return f"{value / factor:g}{suffix}"
    return f"{value:g}"


def _front_line(panel: Axes, front: Sequence[Dot], x: Axis, y: Axis) -> None:
    """What can be had at most for a given x: a staircase."""
    ordered = sorted(front, key=lambda dot: dot.values[x.key])
    panel.plot(
        [dot.values[x.key] for dot in ordered],
        [dot.values[y.key] for dot in ordered],
        color=FRONT,
        linewidth=1.6,
        alpha=0.8,
        drawstyle="steps-post" if x.goal is Goal.MINIMIZE else "steps-pre",
        zorder=2.5,
    )


def _labelled(front: Sequence[Dot], x: Axis) -> list[Dot]:
    """Members to be named: all, or evenly chosen ones, both ends among them."""
    ordered = sorted(front, key=lambda dot: dot.values[x.key])
    return [ordered[index] for index in apart(len(ordered), LABELLED)]


def _legend(panel: Axes, picture: Picture) -> None:
    panel.scatter([], [], s=46, facecolors="#9a9a9a", edgecolors="white", label="candidate")
    name = "Pareto front (with candidate ids)"
    if len(picture.axes) == 2:
        panel.plot([], [], color=FRONT, marker="o", markersize=8, markerfacecolor="#9a9a9a", linewidth=1.6, label=name)
    else:
        panel.scatter([], [], s=78, facecolors="#9a9a9a", edgecolors=FRONT, linewidths=1.8, label=name)
    if any(dot.noisy for dot in picture.dots):
        panel.scatter([], [], s=46, facecolors="none", edgecolors="#9a9a9a", linewidths=1.4, label="noisy measurement")
    panel.legend(loc="best", fontsize=8, frameon=True, framealpha=0.9, edgecolor="#dddddd")


def _colour_bar(figure: Figure, panel: Axes, shade: ScalarMappable, label: str, *, whole: bool) -> None:
    bar = figure.colorbar(shade, ax=panel, label=label, shrink=0.85, aspect=32, pad=0.02)
    bar.outline.set_visible(False)
    if whole:
        bar.locator = MaxNLocator(integer=True, nbins=8)
    else:
        bar.formatter = FuncFormatter(lambda value, _: short_number(value))
    bar.update_ticks()


def _draw_course(panel: Axes, picture: Picture) -> None:
    """One objective: how the best found so far improves."""
    axis = picture.axes[0]
    dots = sorted(picture.dots, key=lambda dot: dot.number)
    values = np.array([dot.values[axis.key] for dot in dots])
    best = np.maximum.accumulate(values) if axis.goal is Goal.MAXIMIZE else np.minimum.accumulate(values)
    numbers = [dot.number for dot in dots]
    panel.scatter(numbers, values, s=46, c="#440154", edgecolors="white", linewidths=0.6, zorder=3, label="candidate")
    panel.plot(numbers, best, color=FRONT, linewidth=1.8, drawstyle="steps-post", zorder=2, label="best so far")
    panel.set(xlabel="candidate (in order of proposal)", ylabel=axis.label)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.grid(color="#e4e4e4", linewidth=0.7)
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(loc="best", fontsize=8)
