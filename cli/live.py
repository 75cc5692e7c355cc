"""Shows a running search on stderr: a live panel on a terminal, else a line every ten seconds."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli.snapshot import Snapshot
from cli.words import duration, metric_text

LINE_EVERY_S = 10.0
OLDER_NEWS = 3


class Display(Protocol):
    """Is told the state of the search again and again."""

    def show(self, snapshot: Snapshot) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_display(console: Console | None = None) -> Display:
    """The one that fits: stderr on a terminal or not."""
    console = console or Console(stderr=True)
    return LivePanel(console) if console.is_terminal else LogLines(console)


@dataclass
class LogLines:
    """For files and CI: what changed, at most one line in ten seconds, and every new failure."""

    console: Console
    clock: Callable[[], float] = time.monotonic
    _next: float = 0.0
    _news: tuple[str, ...] = ()

    def show(self, snapshot: Snapshot) -> None:
        for line in snapshot.news:
            if line not in self._news and not line.endswith("is complete"):
                self._print(f"{snapshot.name}: {line}")
        self._news = snapshot.news
        if snapshot.trouble and self.clock() >= self._next:
            self._print(f"{snapshot.name}: {snapshot.trouble}")
        if self.clock() >= self._next or snapshot.is_over:
            self._print(summary_line(snapshot))
            self._next = self.clock() + LINE_EVERY_S

    def _print(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left open."""


class LivePanel:
    """A few lines that are drawn anew in place; they stay as they were at the end."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=4, transient=False)

    def show(self, snapshot: Snapshot) -> None:
        self._live.update(panel(snapshot))

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()


def summary_line(snapshot: Snapshot) -> str:
    """`faces-demo: 12/28 complete, 6 running, 1 infeasible, 0 failed; front 7, hypervolume x1.84; 2:31 min, …`"""
    counts = snapshot.counts
    parts = [f"{counts['complete']}/{snapshot.target} complete", f"{snapshot.in_flight} in flight"]
    parts += [f"{counts[status]} {status}" for status in ("paused", "infeasible", "failed") if counts[status]]
    return f"{snapshot.name}: {', '.join(parts)}; front {_front(snapshot)}; {_time(snapshot)}"


def panel(snapshot: Snapshot) -> Group:
    head = Table.grid(padding=(0, 2))
    head.add_row(
        Text(snapshot.name, style="bold"),
        ProgressBar(total=snapshot.target, completed=min(snapshot.counts["complete"], snapshot.target), width=30),
        Text(f"{snapshot.counts['complete']}/{snapshot.target} complete"),
        Text(_time(snapshot), style="dim"),
    )
    rows = Table.grid(padding=(0, 2))
    rows.add_row(Text("candidates", style="dim"), Text(_candidates(snapshot)))
    rows.add_row(Text("stages", style="dim"), Text(_stages(snapshot)))
    rows.add_row(Text("front", style="dim"), Text(_front(snapshot)))
    for line in snapshot.news[-OLDER_NEWS:]:
        style = "" if line.endswith("is complete") else "yellow"
        rows.add_row(Text("news", style="dim"), Text(line, style=style, overflow="ellipsis", no_wrap=True))
    if snapshot.trouble:
        rows.add_row(Text("trouble", style="bold red"), Text(snapshot.trouble, style="red"))
    return Group(head, rows)


def _candidates(snapshot: Snapshot) -> str:
    shown = {status: count for status, count in snapshot.counts.items() if count or status != "paused"}
    return ", ".join(f"{count} {status}" for status, count in shown.items())


def _stages(snapshot: Snapshot) -> str:
    busy = [f"{stage} {working} at work, {waiting} waiting" for stage, (working, waiting) in snapshot.stages.items()]
    return " · ".join(busy) or "nothing queued"


def _front(snapshot: Snapshot) -> str:
    standing = snapshot.standing
    if standing.best is not None:
        return f"best {metric_text(snapshot.first_objective, standing.best)}"
    members = f"{standing.front_size} member{'s' if standing.front_size != 1 else ''}"
    return members if standing.improvement is None else f"{members}, hypervolume x{standing.improvement:.2f}"


def _time(snapshot: Snapshot) -> str:
    left = "" if snapshot.eta_s is None or snapshot.is_over else f", about {duration(snapshot.eta_s)} left"
    return f"{duration(snapshot.elapsed_s)}{left}"
