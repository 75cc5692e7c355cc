"""What `qnn-profile-viewer` prints of a run of `qnn-net-run`. Pure.

The format as shown in Qualcomm's documentation and in issue threads, of QNN 2.2x to 2.4x; none was printed here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from paretofarm.errors import RunnerFailed

NET_RUN = "NetRun"
NESTED = (
    NET_RUN,
    "Backend (RPC (execute) time)",
    "Backend (QNN accelerator (execute) time)",
    "Backend (Accelerator (execute) time)",
)
"""From the outside in: the program, the call to the DSP, QNN on the DSP, the accelerator itself."""
_SECTION = re.compile(r"^\s*([A-Za-z][A-Za-z-]*(?: Graphs)? Stats(?: \((\w+)\))?):\s*$")
_TIME = re.compile(r"^\s*(.+?):\s*(\d+)\s*us\s*$")


@dataclass(frozen=True)
class QnnProfile:
    """Milliseconds. average: the nested ones of an inference, by the viewer's own names; load: until it was ready."""

    average_ms: Mapping[str, float]
    load_ms: float | None = None


def parse_profile(text: str) -> QnnProfile:
    """`RunnerFailed` where the time of an inference is not in it, or one of the four nested ones is missing.

    What is counted in cycles is left out: it is a sum over threads, no time.
    """
    sections = _sections(text)
    average = sections.get("Execute Stats (Average)", {})
    missing = [name for name in NESTED if not average.get(name)]
    if missing:
        raise RunnerFailed(f"qnn-profile-viewer tells no {', '.join(missing)}")
    return QnnProfile({name: average[name] for name in NESTED}, sections.get("Init Stats", {}).get(NET_RUN))


def _sections(text: str) -> dict[str, dict[str, float]]:
    """Times by section; of one that is there twice (several graphs) the first counts."""
    found: dict[str, dict[str, float]] = {}
    times: dict[str, float] = {}
    for line in text.splitlines():
        if heading := _SECTION.match(line):
            times = found.setdefault(heading[1], {})
        elif time := _TIME.match(line):
            times.setdefault(time[1], int(time[2]) / 1e3)
    return found
