"""What `snpe-diagview` prints of a run's `SNPEDiag_0.log`. Pure.

Two forms are known, of SDKs 2.9 (`Average SNPE Statistics:`, `Layer Times:`) and 2.37 (`SNPE Execute Statistics
(Averaged):`, `Per-Layer Execution Times:`); the names of the nested times are the same in both.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from paretofarm.errors import RunnerFailed

TOTAL = "Total Inference Time"
NESTED = (TOTAL, "Forward Propagate Time", "RPC Execute Time", "Snpe Accelerator Time", "Accelerator Time")
"""From the caller's view inwards, to the accelerator's own."""
_LINE = re.compile(r"^\s*(?P<name>[A-Z][\w ()-]*?):\s+(?P<value>\d+(?:\.\d+)?)(?:\s+(?P<unit>us|ms|NONE))?\s*$")
_LAYER = re.compile(r"^\s*(?P<name>\d+(?:: .+?)?)\s*: (?P<value>\d+(?:\.\d+)?) us\b")
_TO_MS = {"us": 1e-3, "ms": 1.0}


@dataclass(frozen=True)
class SnpeTimes:
    """Averages over one run, in milliseconds. nested: those of `NESTED` that there are, zero ones left out; layers: by
    number and name, where the SDK tells them in time (on newer chips it tells cycles, which are no time).
    """

    total_ms: float
    nested_ms: Mapping[str, float]
    layers_ms: Mapping[str, float]
    init_ms: float | None


def parse_diagview(text: str) -> SnpeTimes:
    """`RunnerFailed` where there is no total time."""
    values = dict(_values(text))
    if not values.get(TOTAL):
        raise RunnerFailed(f"snpe-diagview tells no {TOTAL}: {' '.join(text.split())[-200:]}")
    nested = {name: values[name] for name in NESTED if values.get(name)}
    return SnpeTimes(values[TOTAL], nested, dict(_layers(text)), values.get("Init"))


def _values(text: str) -> Iterator[tuple[str, float]]:
    """Later ones count: what is said of the whole comes after what is said of a part."""
    for line in text.splitlines():
        if found := _LINE.match(line):
            yield found["name"], float(found["value"]) * _TO_MS.get(found["unit"] or "us", 1e-3)


def _layers(text: str) -> Iterator[tuple[str, float]]:
    _, _, listing = text.partition("Layer")
    for line in listing.splitlines():
        if found := _LAYER.match(line):
            yield f"layer {found['name']}", float(found["value"]) * 1e-3
