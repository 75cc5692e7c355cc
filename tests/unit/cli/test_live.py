"""What is shown while a search runs."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from cli.live import LivePanel, LogLines, open_display, panel, summary_line
from cli.snapshot import Snapshot
from db.course import Standing
from db.experiments import ExperimentStatus

RUNNING = Snapshot(
    name="demo",
    status=ExperimentStatus.RUNNING,
    target=28,
    counts={"proposed": 1, "running": 5, "paused": 0, "complete": 12, "infeasible": 2, "failed": 0},
    stages={"train": (2, 3), "measure": (1, 0)},
    standing=Standing(complete=12, front_size=7, improvement=1.84, best=None),
    first_objective="miou",
    reason=None,
    elapsed_s=151,
    eta_s=200,
    news=("candidate 7 is complete", "candidate 8 is failed: OutOfMemory"),
)


def lines_of(display: LogLines) -> list[str]:
    output = display.console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue().splitlines()


def plain_console() -> Console:
    return Console(file=io.StringIO(), width=200)


def test_the_summary_is_one_line_with_everything() -> None:
    assert summary_line(RUNNING) == (
        "demo: 12/28 complete, 6 in flight, 2 infeasible; front 7 members, hypervolume x1.84; "
        "2:31 min, about 3:20 min left"
    )


def test_the_panel_shows_candidates_stages_front_and_news() -> None:
    console = plain_console()
    console.print(panel(replace(RUNNING, trouble="worker keeps ending")))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "train 2 at work, 3 waiting · measure 1 at work, 0 waiting" in text
    assert "1 proposed, 5 running, 12 complete, 2 infeasible, 0 failed" in text
    assert "candidate 8 is failed: OutOfMemory" in text
    assert "worker keeps ending" in text


def test_one_objective_shows_its_best_value() -> None:
    snapshot = replace(RUNNING, standing=Standing(12, 1, None, best=0.61))
    assert "front best 0.6100;" in summary_line(snapshot)


def test_without_a_terminal_there_is_a_line_every_ten_seconds() -> None:
    now = [0.0]
    display = LogLines(plain_console(), clock=lambda: now[0])
    for moment in (0.0, 4.0, 9.9, 10.1, 12.0):
        now[0] = moment
        display.show(RUNNING)
    assert len([line for line in lines_of(display) if "in flight" in line]) == 2


def test_each_failure_is_printed_once_and_at_once() -> None:
    display = LogLines(plain_console(), clock=lambda: 0.0)
    display.show(RUNNING)
    display.show(RUNNING)
    assert [line for line in lines_of(display) if "failed:" in line] == ["demo: candidate 8 is failed: OutOfMemory"]


def test_the_end_is_always_printed() -> None:
    display = LogLines(plain_console(), clock=lambda: 0.0)
    display.show(RUNNING)
    display.show(replace(RUNNING, status=ExperimentStatus.FINISHED))
    assert lines_of(display)[-1].endswith("; 2:31 min")


def test_square_brackets_in_an_error_are_no_markup() -> None:
    display = LogLines(plain_console())
    display.show(replace(RUNNING, news=("candidate 9 is failed: [/red] shape [1, 3]",)))
    assert "demo: candidate 9 is failed: [/red] shape [1, 3]" in lines_of(display)


def test_the_display_fits_its_output() -> None:
    assert isinstance(open_display(Console(file=io.StringIO(), force_terminal=True)), LivePanel)
    assert isinstance(open_display(plain_console()), LogLines)


def test_the_live_panel_leaves_its_last_state() -> None:
    output = io.StringIO()
    with open_display(Console(file=output, force_terminal=True, width=200)) as display:
        display.show(RUNNING)
    assert "12/28 complete" in output.getvalue()


IDLE = {**RUNNING.counts, "proposed": 0, "running": 0}


@pytest.mark.parametrize(
    ("changes", "over"),
    [
        ({}, False),
        ({"status": ExperimentStatus.FINISHED}, True),
        ({"status": ExperimentStatus.STOPPED}, False),
        ({"status": ExperimentStatus.STOPPED, "counts": IDLE, "stages": {}}, True),
        (
            {"status": ExperimentStatus.STOPPED, "counts": IDLE, "stages": {"measure": (1, 0)}},
            False,
        ),
        ({"status": ExperimentStatus.STOPPED, "reason": "no data set", "stages": {}}, True),
    ],
)
def test_when_a_search_is_over(changes: dict[str, object], over: bool) -> None:
    assert replace(RUNNING, **changes).is_over is over  # type: ignore[arg-type]
