"""What Qualcomm's tools print and leave, read by pure functions."""

from pathlib import Path

import pytest

from device_agents.runtimes.dsp_batch import parse_sizes
from device_agents.runtimes.dsp_profile import parse_profile
from device_agents.runtimes.qnn import blame, libraries
from paretofarm.errors import NotDeployable, RunnerFailed
from paretofarm.ports import CommandResult

OUTPUT = Path(__file__).parent / "output"
VIEWED = (OUTPUT / "qnn_profile_viewer.txt").read_text()


def test_the_four_nested_times_are_the_averages_of_an_inference() -> None:
    profile = parse_profile(VIEWED)
    assert profile.average_ms == {
        "NetRun": 2.952,
        "Backend (RPC (execute) time)": 2.92,
        "Backend (QNN accelerator (execute) time)": 2.6,
        "Backend (Accelerator (execute) time)": 2.492,
    }
    times = list(profile.average_ms.values())
    assert times == sorted(times, reverse=True)


def test_loading_is_kept_and_extremes_cycles_and_counts_are_no_times_of_an_inference() -> None:
    profile = parse_profile(VIEWED)
    assert profile.load_ms == 331.158
    assert not set(profile.average_ms.values()) & {2.81, 3.904, 14436.712}


def test_windows_line_ends_are_read_too() -> None:
    assert parse_profile(VIEWED.replace("\n", "\r\n")) == parse_profile(VIEWED)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("", "NetRun, Backend"),
        (VIEWED.partition("Execute Stats (Average)")[0], "NetRun, Backend"),
        (VIEWED.replace("Accelerator (execute) time): 2492", "Accelerator (execute) time): 0"), r"Backend \(Accelerat"),
    ],
)
def test_a_profile_without_one_of_them_is_none(text: str, missing: str) -> None:
    with pytest.raises(RunnerFailed, match=f"tells no {missing}"):
        parse_profile(text)


def test_sizes_are_read_by_result_and_rubbish_is_left_out() -> None:
    listing = "16 Result_0/logits_native.raw\n   8 Result_10/a b.raw\n0 Result_*/*.raw\ncannot open\n"
    assert parse_sizes(listing) == {"Result_0/logits_native.raw": 16, "Result_10/a b.raw": 8}


@pytest.mark.parametrize(
    ("exit_code", "output", "verdict"),
    [
        (0, "Finished Executing Graphs", None),
        (0, "no such words", RunnerFailed),
        (1, "Finished Executing Graphs", RunnerFailed),
        (137, "", RunnerFailed),
        (1, "QnnDsp <E> Failed createFromBinary with err 1002", NotDeployable),
        (1, "Could not create context from binary", NotDeployable),
        (1, "Could not create context from binary\nTransport layer setup failed: 14001", RunnerFailed),
        (1, "Failed to load skel, error: 4000", RunnerFailed),
    ],
)
def test_success_is_exit_code_and_words_and_failures_are_told_apart(
    exit_code: int, output: str, verdict: type[Exception] | None
) -> None:
    problem = blame(CommandResult(exit_code, "", output), "PHONE1")
    assert (None if problem is None else type(problem)) is verdict


def test_the_dsps_path_is_separated_by_semicolons_and_the_phones_by_colons() -> None:
    found = libraries("/data/local/tmp/paretofarm/tools/qnn/abc")
    assert found["LD_LIBRARY_PATH"] == "/data/local/tmp/paretofarm/tools/qnn/abc/lib:/vendor/lib64"
    assert found["ADSP_LIBRARY_PATH"].split(";")[:2] == [
        "/data/local/tmp/paretofarm/tools/qnn/abc/dsp",
        "/vendor/lib/rfsa/adsp",
    ]
