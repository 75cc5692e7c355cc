"""Who else is busy on a phone: other benchmarks, and whatever loads its processors. Parsing is pure."""

import re
from dataclasses import dataclass

from paretofarm.ports import DeviceLink

RUNNERS = (
    "qnn-net-run",
    "qnn-throughput-net-run",
    "snpe-net-run",
    "snpe-parallel-run",
    "onnxruntime_perf_test",
    "onnxruntime_run",
    "benchmark_model",
    "llama-bench",
    "qnn_executor_runner",
    "executor_runner",
    "ncnn-benchmark",
    "benchncnn",
    "MNNV2Basic.out",
    "geekbench",
)
"""Programs that nobody starts but to measure. A name as `ps` gives it may be cut to 15 characters."""
ASK_TIMEOUT_S = 15
SCRIPT = "ps -A -o PID,NAME 2>/dev/null; grep -m1 '^cpu ' /proc/stat 2>/dev/null; true"
_CUT = 15


@dataclass(frozen=True)
class ProcessorTime:
    """Ticks since the boot, over all processors."""

    busy: int
    total: int

    def busy_share_since(self, earlier: "ProcessorTime") -> float | None:
        """None where no time has passed (or the phone has booted in between)."""
        total = self.total - earlier.total
        return (self.busy - earlier.busy) / total if total > 0 else None


@dataclass(frozen=True)
class Others:
    """runners: `name (pid)` of benchmarks that run; processors: None where a phone does not say."""

    runners: tuple[str, ...]
    processors: ProcessorTime | None


def look_for_others(link: DeviceLink) -> Others:
    """Asks the phone. Only meaningful while nothing of ours runs on it."""
    text = link.run(["sh", "-c", SCRIPT], timeout_s=ASK_TIMEOUT_S).stdout
    return Others(parse_runners(text), parse_processor_time(text))


def parse_runners(text: str) -> tuple[str, ...]:
    """Benchmarks in the lines of `ps -A -o PID,NAME`."""
    found = re.findall(r"^\s*(\d+)\s+(\S+)\s*$", text, re.MULTILINE)
    return tuple(f"{name} ({pid})" for pid, name in found if _is_runner(name.rsplit("/", 1)[-1]))


def _is_runner(name: str) -> bool:
    return name in RUNNERS or (len(name) == _CUT and any(known.startswith(name) for known in RUNNERS))


def parse_processor_time(text: str) -> ProcessorTime | None:
    """From the line `cpu user nice system idle iowait …` of /proc/stat; waiting for a disk is idleness."""
    found = re.search(r"^cpu\s+((?:\d+\s*)+)$", text, re.MULTILINE)
    ticks = [int(word) for word in found.group(1).split()][:8] if found else []
    if len(ticks) < 5:
        return None
    return ProcessorTime(busy=sum(ticks) - ticks[3] - ticks[4], total=sum(ticks))
