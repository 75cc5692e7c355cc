"""Draws what proxies are worth: rank correlation against cost."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from cli.plot import BARS, DPI, FRONT, INK
from paretofarm.errors import ConfigError
from paretofarm.proxies import Proxy, Verdict


def save_study(name: str, full: Proxy, verdicts: Sequence[Verdict], path: Path) -> None:
    """Errors: ConfigError where the file cannot be written."""
    try:
        _draw(name, full, verdicts).savefig(path, dpi=DPI)
    except OSError as error:
        raise ConfigError(f"{path}: cannot write the picture: {error.strerror or error}") from error


def _draw(name: str, full: Proxy, verdicts: Sequence[Verdict]) -> Figure:
    figure = Figure(figsize=(8.6, 5.4), layout="constrained")
    axes = figure.subplots()
    for verdict in verdicts:
        below, above = max(0.0, verdict.tau - verdict.low), max(0.0, verdict.high - verdict.tau)
        axes.errorbar(
            verdict.cost,
            verdict.tau,
            yerr=[[below], [above]],
            fmt="o",
            color=FRONT,
            ecolor=BARS,
            capsize=3,
            markersize=8,
        )
        axes.annotate(
            _words(verdict.proxy), (verdict.cost, verdict.tau), (8, -4), textcoords="offset points", fontsize=9
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    axes.set_ylim(min(0.0, *(verdict.low for verdict in verdicts)) - 0.05, 1.05)
    axes.axhline(0, color=BARS, linewidth=0.8)
    axes.grid(alpha=0.3)
    axes.set_xlabel("seconds of training, as a share of the full ones'")
    axes.set_ylabel("Kendall's τ against full training")
    networks = max(verdict.networks for verdict in verdicts)
    figure.suptitle(
        f"{name}: what partial training is worth", fontsize=13, x=0.02, ha="left", fontweight="bold", color=INK
    )
    caption = (
        f"{networks} random networks, each also trained for {full.epochs} epochs · bars: 95 % intervals over networks"
    )
    figure.supxlabel(caption, fontsize=8, x=0.02, ha="left", color="#555555")
    return figure


def _words(proxy: Proxy) -> str:
    share = f", {proxy.share:.0%} of the images" if proxy.share < 1 else ""
    size = f", {proxy.size} px" if proxy.size else ""
    return f"{proxy.epochs} epoch{'s' if proxy.epochs > 1 else ''}{share}{size}"
