"""What `qnn-profile-viewer` prints of a run of `qnn-net-run`. Pure.

The format as shown in Qualcomm's documentation and in issue threads, of QNN 2.2x to 2.4x; none was printed here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

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
    """Milliseconds. average: by the viewer's own names, of one inference; load: until the network was ready."""

    average_ms: Mapping[str, float]
    minimum_ms: float | None = None
    maximum_ms: float | None = None
    load_ms: float | None = None
    others: Mapping[str, float] = field(default_factory=dict)


def parse_profile(text: str) -> QnnProfile:
    """`RunnerFailed` where the time of an inference is not in it, or one of the four nested ones is missing.

    What is counted in cycles is left out: it is a sum over threads, no time.
    """
    sections = _sections(text)
    average = sections.get("Execute Stats (Average)", {})
    missing = [name for name in NESTED if not average.get(name)]
    if missing:
        raise RunnerFailed(f"qnn-profile-viewer tells no {', '.join(missing)}")
    return QnnProfile(
        average_ms={name: average[name] for name in NESTED},
        minimum_ms=sections.get("Execute Stats (Min)", {}).get(NET_RUN),
        maximum_ms=sections.get("Execute Stats (Max)", {}).get(NET_RUN),
        load_ms=sections.get("Init Stats", {}).get(NET_RUN),
        others={name: value for name, value in average.items() if name not in NESTED},
    )


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
