"""What a failing DSP leaves in logs. The lines are as issue threads quote them, none from a phone of ours."""

import pytest

from paretofarm.dsp_signs import LOG_TAIL, DspSign, dsp_sign, log_tail


@pytest.mark.parametrize(
    "line",
    [
        "E/QnnDsp: <E> DspTransport.openSession qnn_open failed, 0x80000406, prio 100",
        "E/QnnDsp: <E> Failed to load skel, error: 4000",
        "[ ERROR ] Transport layer setup failed: 14001",
        "<E> Failed to retrieve skel build id: err: 1003",
        "E/adsprpc: remote_handle64_open failed for file:///libQnnHtpV73Skel.so",
        "Error 0x80000416: remote_handle_invoke",
    ],
)
def test_a_lost_subsystem(line: str) -> None:
    assert dsp_sign(f"before\n{line}\nafter") is DspSign.SUBSYSTEM


@pytest.mark.parametrize(
    "line", ["QnnContext_createFromBinary failed with error 1002", "Could not create context from binary"]
)
def test_a_refused_network(line: str) -> None:
    assert dsp_sign(line) is DspSign.CONTEXT


def test_a_lost_subsystem_explains_a_refused_network() -> None:
    both = "Could not create context from binary\nTransport layer setup failed: 14001"
    assert dsp_sign(both) is DspSign.SUBSYSTEM


@pytest.mark.parametrize("line", ["", "Segmentation fault", "inference 1002 of 4000", "network-14001.bin loaded"])
def test_nothing_that_points_to_the_dsp(line: str) -> None:
    assert dsp_sign(line) is None


def test_of_a_log_only_the_end_of_what_concerns_the_dsp_is_kept() -> None:
    log = "".join(f"I/chatty: line {i}\nE/adsprpc: call {i} {'x' * 60}\n" for i in range(200))
    tail = log_tail(log)
    assert len(tail) <= LOG_TAIL
    assert "chatty" not in tail
    assert f"call 199 {'x' * 60}" in tail
