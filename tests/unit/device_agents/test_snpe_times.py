"""What is read from snpe-diagview, in the forms of an older and a newer SDK."""

from pathlib import Path

import pytest

from device_agents.runtimes.snpe_times import parse_diagview
from paretofarm.errors import RunnerFailed

OUTPUT = Path(__file__).parent / "output"


def test_the_older_form_gives_all_nested_times_and_layers() -> None:
    times = parse_diagview((OUTPUT / "snpe_diagview_2.9.txt").read_text())
    assert times.total_ms == pytest.approx(3.318)
    assert times.nested_ms == pytest.approx(
        {
            "Total Inference Time": 3.318,
            "Forward Propagate Time": 3.301,
            "RPC Execute Time": 2.911,
            "Snpe Accelerator Time": 2.45,
            "Accelerator Time": 2.398,
        }
    )
    assert times.layers_ms == pytest.approx({"layer 0": 0.014, "layer 1": 0.61, "layer 17": 0.095})
    assert times.init_ms == pytest.approx(903.746)


def test_cycles_are_no_time_and_zeros_are_left_out() -> None:
    times = parse_diagview((OUTPUT / "snpe_diagview_2.37.txt").read_text())
    assert times.total_ms == pytest.approx(1.328)
    assert "Accelerator Time" not in times.nested_ms
    assert times.nested_ms["Snpe Accelerator Time"] == pytest.approx(0.25)
    assert times.layers_ms == pytest.approx({"layer 1: stem/Conv:OpId_18": 0.023})


def test_windows_line_ends_change_nothing() -> None:
    text = (OUTPUT / "snpe_diagview_2.9.txt").read_text()
    assert parse_diagview(text.replace("\n", "\r\n")) == parse_diagview(text)


@pytest.mark.parametrize("text", ["", "Total Inference Time: 0 us", "cannot open SNPEDiag_0.log"])
def test_a_log_without_a_total_is_the_runners_fault(text: str) -> None:
    with pytest.raises(RunnerFailed, match="tells no Total Inference Time"):
        parse_diagview(text)
