"""The programs of the phone that run networks, by their names in its `bin` folder."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from device_agents.virtual_phone import network_run, perf_test

RUNNERS: Mapping[str, Callable[[Sequence[str]], int]] = MappingProxyType(
    {"onnxruntime_perf_test": perf_test.main, "onnxruntime_run": network_run.main}
)


def load() -> None:
    """Loads what all of them need."""
    perf_test.load()


def run_tool(words: Sequence[str]) -> int:
    """The exit code of the program `words[0]`."""
    name, *arguments = words
    return RUNNERS[name](arguments)
