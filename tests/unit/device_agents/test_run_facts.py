"""What runs tell beside their times."""

import pytest

from device_agents.run_facts import run_facts
from device_agents.runtimes import BlockTimes
from device_agents.runtimes.onnxruntime import parse_load_ms, parse_peak_memory, parse_times

SUMMARY = """Session creation time cost: 0.0308812 s
First inference time cost: 2 ms
Total inference time cost: 0.0221 s
Peak working set size: 79691776 bytes
"""
ROWS = """job,0.00123,79691776,97,0
job,0.00121,79691776,97,1
P50 Latency: 0.00121 s
"""


def test_loads_are_told_apart_by_what_came_before_them() -> None:
    times = [BlockTimes((1.0,), load_ms=ms) for ms in (90.0, 30.0, 32.0, 31.0)]
    facts = run_facts(times)
    assert (facts.cold_load_ms, facts.warm_load_ms) == (90.0, 31.0)
    assert facts.to_dict() == {"load_ms": {"cold": 90.0, "warm": 31.0}}


def test_layers_are_medians_over_blocks_and_the_probe_does_not_count() -> None:
    times = [BlockTimes((1.0,), {"rpc": ms, "htp": ms / 2}) for ms in (50.0, 3.0, 4.0, 9.0)]
    assert run_facts(times).layers_ms == {"rpc": 4.0, "htp": 2.0}


def test_memory_is_the_highest_that_was_seen() -> None:
    times = [BlockTimes((1.0,), peak_memory_bytes=size) for size in (None, 100, 300, 200)]
    assert run_facts(times).to_dict() == {"peak_memory_bytes": 300}


def test_the_form_in_which_a_network_ran_is_kept() -> None:
    assert run_facts([BlockTimes((1.0,), form=form) for form in (None, "arch", "arch")]).to_dict() == {"form": "arch"}


def test_a_runner_that_tells_nothing_leaves_nothing() -> None:
    assert run_facts([BlockTimes((1.0,))] * 3).to_dict() == {}


def test_what_onnxruntime_tells() -> None:
    assert parse_load_ms(SUMMARY) == pytest.approx(30.8812)
    assert parse_peak_memory(ROWS) == 79_691_776
    assert parse_times(ROWS) == pytest.approx((1.23, 1.21))
    assert parse_load_ms("") is None
    assert parse_peak_memory("job,0.001,0,97,0\n") is None
