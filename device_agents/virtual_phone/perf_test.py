"""`onnxruntime_perf_test` for the virtual phone: the part of onnxruntime's own tool that is used here.

Options, result file and summary are those of `onnxruntime/test/perftest` (1.2x): `-I` generated inputs, `-m times`
with `-r N` or `-m duration` with `-t SECONDS`, threads `-x` and `-y`, `-o` optimization level, `-P` parallel
executor, `-s` statistics, `-v` each inference, `-D` and `-Z` (no spinning: always so here), `-C` configuration
entries, `-S` seed. As there, the first inference is not counted, the result file is appended to, and failure is
exit code 255. The times are this machine's.
"""

import argparse
import gc
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

FAILED = 255
PERCENTILES = (("P50", 0.5), ("P90", 0.9), ("P95", 0.95), ("P99", 0.99), ("P999", 0.999))
LEVELS = {
    0: "ORT_DISABLE_ALL",
    1: "ORT_ENABLE_BASIC",
    2: "ORT_ENABLE_EXTENDED",
    3: "ORT_ENABLE_ALL",
    99: "ORT_ENABLE_ALL",
}
TYPES = {
    "tensor(float)": "f4",
    "tensor(float16)": "f2",
    "tensor(double)": "f8",
    "tensor(uint8)": "u1",
    "tensor(int8)": "i1",
    "tensor(int32)": "i4",
    "tensor(int64)": "i8",
    "tensor(bool)": "?",
}


class RunFailed(Exception):
    """The network cannot be run; the text is for the user."""


@dataclass(frozen=True)
class Timing:
    """Seconds: each counted inference, and what lies around them. Memory in bytes, processor share in percent."""

    costs: tuple[float, ...]
    session_creation: float
    first_inference: float
    run_time: float
    peak_memory: int
    cpu_share: int


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(FAILED, f"{message}\nSee 'onnxruntime_perf_test --help'.\n")


def main(argv: Sequence[str]) -> int:
    """The tool's exit code: 0 or 255."""
    options = _parser().parse_args(argv)
    try:
        _check(options)
        timing = measure(options)
        report(options, timing)
    except RunFailed as error:
        print(error, file=sys.stderr)
        return FAILED
    return 0


def measure(options: argparse.Namespace) -> Timing:
    """Loads the network and times it. Raises `RunFailed`."""
    onnxruntime = load()
    with verdict():
        started = time.perf_counter()
        run = _prepared(onnxruntime, options)
        created = time.perf_counter()
        run()
        first = time.perf_counter()
        cpu_before = time.process_time()
        gc.disable()
        costs = _repeat(run, options.r) if options.m == "times" else _run_for(run, options.t)
    run_time = time.perf_counter() - first
    cpu_share = round(100 * (time.process_time() - cpu_before) / run_time / (os.cpu_count() or 1))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Timing(tuple(costs), created - started, first - created, run_time, peak, cpu_share)


def load() -> Any:
    """The module onnxruntime; the first call takes a fifth of a second."""
    # Since 1.29 it sends usage data to Microsoft, from a thread of its own, unless this is set before its import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


@contextmanager
def verdict() -> Iterator[None]:
    """A boundary: onnxruntime's exceptions share no base class, and whatever it says is its verdict on the network."""
    try:
        yield
    except RunFailed:
        raise
    except Exception as error:
        raise RunFailed(str(error)) from error


def report(options: argparse.Namespace, timing: Timing) -> None:
    """Writes the result file, one row per inference, and the summary to stdout."""
    _print_summary(timing)
    if options.v:
        print("".join(f"iteration:{i},time_cost:{cost:g}\n" for i, cost in enumerate(timing.costs, 1)), end="")
    statistics = "".join(f"{line}\n" for line in _statistics(timing.costs)) if options.s else ""
    if options.result_file is None:
        print(f"Avg CPU usage:{timing.cpu_share}\nPeak working set size:{timing.peak_memory}\nRuns:{len(timing.costs)}")
    else:
        _append_result(options, timing, statistics)
    print(statistics, end="")


def _append_result(options: argparse.Namespace, timing: Timing, statistics: str) -> None:
    # The tool names the model after its folder.
    name = options.model.absolute().parent.name
    rows = (f"{name},{cost:g},{timing.peak_memory},{timing.cpu_share},{i}\n" for i, cost in enumerate(timing.costs))
    try:
        with options.result_file.open("a") as file:
            file.writelines(rows)
            file.write(statistics)
    except OSError as error:
        raise RunFailed(f"failed to open result file '{options.result_file}': {error.strerror}") from error


def _print_summary(timing: Timing) -> None:
    total, count = sum(timing.costs), len(timing.costs)
    print(f"Session creation time cost: {timing.session_creation:g} s")
    print(f"First inference time cost: {int(timing.first_inference * 1000)} ms")
    print(f"Total inference time cost: {total:g} s")
    print(f"Total inference requests: {count}")
    print(f"Average inference time cost: {total / count * 1000:g} ms")
    print(f"Total inference run time: {timing.run_time:g} s")
    print(f"Number of inferences per second: {count / timing.run_time:g} ")
    print(f"Avg CPU usage: {timing.cpu_share} %")
    print(f"Peak working set size: {timing.peak_memory} bytes")


def _statistics(costs: Sequence[float]) -> Iterable[str]:
    ordered = sorted(costs)
    yield f"Min Latency: {ordered[0]:g} s"
    yield f"Max Latency: {ordered[-1]:g} s"
    for name, share in PERCENTILES:
        yield f"{name} Latency: {ordered[int(len(ordered) * share)]:g} s"


def _repeat(run: Callable[[], None], times: int) -> list[float]:
    costs = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        costs.append(time.perf_counter() - started)
    return costs


def _run_for(run: Callable[[], None], seconds: float) -> list[float]:
    """Until the inferences add up to `seconds`, at least one."""
    costs: list[float] = []
    total = 0.0
    while not costs or total < seconds:
        started = time.perf_counter()
        run()
        costs.append(time.perf_counter() - started)
        total += costs[-1]
    return costs


def _prepared(ort: Any, options: argparse.Namespace) -> Callable[[], None]:
    """One inference with generated inputs, bound beforehand: nothing but the network is timed."""
    session = open_session(
        ort, options.model, threads=options.x, adjust=lambda settings: _adjust(ort, settings, options)
    )
    binding = session.io_binding()
    for number, wanted in enumerate(session.get_inputs()):
        binding.bind_cpu_input(wanted.name, _generated(wanted, options.S + number))
    for given in session.get_outputs():
        binding.bind_output(given.name)
    return lambda: session.run_with_iobinding(binding)


def open_session(ort: Any, model: Path, threads: int, adjust: Callable[[Any], None] = lambda settings: None) -> Any:
    """An inference session on this machine's CPU. Raises `RunFailed`, and onnxruntime's own exceptions."""
    ort.set_default_logger_severity(3)
    if not model.is_file():
        raise RunFailed(f"Load model from {model} failed: file doesn't exist")
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    # A waiting thread that spins takes the processor from the other phones on this machine.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings.add_session_config_entry("session.inter_op.allow_spinning", "0")
    adjust(settings)
    return ort.InferenceSession(str(model), settings, providers=["CPUExecutionProvider"])


def _adjust(ort: Any, settings: Any, options: argparse.Namespace) -> None:
    settings.inter_op_num_threads = options.y
    settings.graph_optimization_level = getattr(ort.GraphOptimizationLevel, LEVELS[options.o])
    if options.P:
        settings.execution_mode = ort.ExecutionMode.ORT_PARALLEL
    for entry in options.C.split():
        key, _, value = entry.partition("|")
        settings.add_session_config_entry(key, value)


def _generated(wanted: Any, seed: int) -> Any:
    """Random values of the input's type; dimensions without a size are 1, as in the original."""
    import numpy as np

    shape = [size if isinstance(size, int) and size > 0 else 1 for size in wanted.shape]
    if wanted.type not in TYPES:
        raise RunFailed(f"input {wanted.name}: cannot generate values of type {wanted.type}")
    # numpy.random costs a quarter of numpy's import; a hash of the position is random enough for timing.
    position = np.arange(int(np.prod(shape)), dtype=np.uint32) + np.uint32(seed)
    scrambled = (position * np.uint32(2654435761)) >> np.uint32(24)
    if TYPES[wanted.type].startswith("f"):
        return (scrambled / 255).astype(TYPES[wanted.type]).reshape(shape)
    return (scrambled & 127).astype(TYPES[wanted.type]).reshape(shape)


def _check(options: argparse.Namespace) -> None:
    if options.e != "cpu":
        raise RunFailed(f"execution provider {options.e!r}: the virtual phone has a cpu only")
    if not options.I:
        raise RunFailed(f"there is no test data for model {options.model}: use -I")
    if options.c != 1:
        raise RunFailed("-c: the virtual phone runs one inference at a time")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="onnxruntime_perf_test", allow_abbrev=False)
    parser.add_argument("-m", choices=["duration", "times"], default="duration")
    parser.add_argument("-e", default="cpu")
    parser.add_argument("-r", type=_at_least(1), default=1000)
    parser.add_argument("-t", type=_at_least(0), default=600)
    parser.add_argument("-x", type=_at_least(0), default=1)
    parser.add_argument("-y", type=_at_least(0), default=1)
    parser.add_argument("-c", type=_at_least(1), default=1)
    parser.add_argument("-S", type=int, default=0)
    parser.add_argument("-o", type=int, choices=sorted(LEVELS), default=99)
    parser.add_argument("-C", default="")
    for flag in "IPsvAMDZqz":
        parser.add_argument(f"-{flag}", action="store_true")
    parser.add_argument("model", type=Path)
    parser.add_argument("result_file", type=Path, nargs="?")
    return parser


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise ValueError
        return value

    return number
