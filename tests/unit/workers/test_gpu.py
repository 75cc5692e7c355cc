"""What `nvidia-smi` prints, read."""

import pytest

from paretofarm.instrument import Reading
from workers import gpu
from workers.gpu import parse, visible

TWO = """0, GPU-5f0a2c1e-0000-0000-0000-000000000001, 40536, 81559, 97, 61
1, GPU-9bd7e3aa-0000-0000-0000-000000000002, 4, 81559, 0, 33
"""
CUT_UP = "0, GPU-5f0a2c1e-0000-0000-0000-000000000001, 1024, 81559, [N/A], 41\n"


def names(readings: list[Reading]) -> dict[str, float]:
    return {reading.instrument.name: reading.value for reading in readings}


def test_numbers_come_out_in_base_units() -> None:
    first, second = parse(TWO)
    assert names(first.readings()) == {
        "gpu_memory_used_bytes": 40536 * 2**20,
        "gpu_memory_size_bytes": 81559 * 2**20,
        "gpu_utilisation_ratio": 0.97,
        "gpu_temperature_celsius": 61.0,
    }
    assert {reading.labels["gpu"] for reading in second.readings()} == {"1"}


def test_what_a_gpu_does_not_say_is_left_out() -> None:
    [only] = parse(CUT_UP)
    assert "gpu_utilisation_ratio" not in names(only.readings())


def test_lines_that_are_something_else_are_left_out() -> None:
    assert parse("No devices were found\n") == []


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [(None, ["0", "1"]), ("1", ["1"]), ("0,1", ["0", "1"]), ("", []), ("GPU-9bd7e3aa", ["1"])],
)
def test_only_gpus_that_the_process_may_use_are_told(chosen: str | None, expected: list[str]) -> None:
    environment = {} if chosen is None else {"CUDA_VISIBLE_DEVICES": chosen}
    assert [each.index for each in visible(parse(TWO), environment)] == expected


def test_a_machine_without_a_driver_has_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert gpu.read_gpus() == []
