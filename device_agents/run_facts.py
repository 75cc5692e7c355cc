"""What else the runs of a measurement told, beside their times: time by layer, loading, memory."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from device_agents.runtimes import BlockTimes


@dataclass(frozen=True)
class RunFacts:
    """None and empty where the runner does not tell.

    layers_ms: medians over the blocks, by the runner's own names, each within the one before. cold_load_ms: of the
    first start after the push; warm_load_ms: median of those after it. peak_memory_bytes, form: as of `BlockTimes`.
    """

    layers_ms: Mapping[str, float]
    cold_load_ms: float | None
    warm_load_ms: float | None
    peak_memory_bytes: int | None
    form: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON of what is known."""
        loads = {"cold": self.cold_load_ms, "warm": self.warm_load_ms}
        facts = {
            "layers_ms": dict(self.layers_ms),
            "load_ms": {name: ms for name, ms in loads.items() if ms is not None},
            "peak_memory_bytes": self.peak_memory_bytes,
            "form": self.form,
        }
        return {name: value for name, value in facts.items() if value}


def run_facts(times: Sequence[BlockTimes]) -> RunFacts:
    """times: of the candidate, the first start after the push first: a few inferences, whose layers do not count."""
    blocks = times[1:]
    names = dict.fromkeys(name for block in blocks for name in block.layers_ms)
    loads = [block.load_ms for block in times]
    peaks = [block.peak_memory_bytes for block in times if block.peak_memory_bytes is not None]
    return RunFacts(
        layers_ms={name: statistics.median(_told(blocks, name)) for name in names},
        cold_load_ms=loads[0] if loads else None,
        warm_load_ms=statistics.median(warm) if (warm := [ms for ms in loads[1:] if ms is not None]) else None,
        peak_memory_bytes=max(peaks, default=None),
        form=next((block.form for block in times if block.form is not None), None),
    )


def _told(blocks: Sequence[BlockTimes], name: str) -> list[float]:
    return [block.layers_ms[name] for block in blocks if name in block.layers_ms]
