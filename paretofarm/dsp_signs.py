"""What a failing Hexagon DSP leaves in a runner's output and in Android's log. Pure: text in, verdict out.

The texts are from Qualcomm's documentation and from issue threads; none of them was seen on a phone of ours.
"""

import re
from enum import StrEnum


class DspSign(StrEnum):
    """`subsystem`: the DSP or the way to it failed, whatever ran; `context`: it refused this one network."""

    SUBSYSTEM = "subsystem"
    CONTEXT = "context"


_SUBSYSTEM = (
    r"DspTransport\.openSession qnn_open failed",
    r"Failed to load skel, error: 4000",
    r"Transport layer setup failed: 14001",
    r"Failed to retrieve skel build id: err: 1003",
    r"remote_handle64_open failed",
    r"0x80000416",
)
_CONTEXT = (r"createFromBinary\b.*\b1002\b", r"Could not create context from binary")
OF_INTEREST = re.compile(r"adsprpc|QnnDsp|cdsp", re.IGNORECASE)
LOG_TAIL = 4000
"""Characters of a log that are kept."""


def dsp_sign(text: str) -> DspSign | None:
    """A lost subsystem explains a refused network, so it counts first. None: nothing points to the DSP."""
    if any(re.search(pattern, text) for pattern in _SUBSYSTEM):
        return DspSign.SUBSYSTEM
    return DspSign.CONTEXT if any(re.search(pattern, text) for pattern in _CONTEXT) else None


def log_tail(logcat: str) -> str:
    """The last lines of `logcat -d` that are about the DSP, at most `LOG_TAIL` characters."""
    lines = [line.rstrip() for line in logcat.splitlines() if OF_INTEREST.search(line)]
    return "\n".join(lines)[-LOG_TAIL:]
