"""What `nvidia-smi` prints, read."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

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


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with a GPU, as far as files and programs tell; the folder of its `nvidia-smi`."""
    control = tmp_path / "nvidiactl"
    control.touch()
    monkeypatch.setattr(gpu, "_DRIVER", control)
    monkeypatch.setattr(gpu, "_torch_has_cuda", lambda: True)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{TWO}END\n")
    program.chmod(0o755)
    return tmp_path


def test_trainings_use_what_the_driver_tells(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [each.uuid for each in gpu.training_gpus()] == [each.uuid for each in parse(TWO)]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert [each.index for each in gpu.training_gpus()] == ["1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpu.training_gpus() == []


def test_a_gpu_that_nvidia_smi_does_not_name_is_one_of_unknown_size(
    driver: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-5f0a2c1e")
    assert gpu.training_gpus() == [gpu.UNNAMED]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    (driver / "nvidia-smi").unlink()
    assert gpu.training_gpus() == [gpu.UNNAMED]


def test_a_torch_for_cpus_has_no_gpus(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "_torch_has_cuda", lambda: False)
    assert gpu.training_gpus() == []


def test_what_torch_was_built_for_is_known_without_loading_it() -> None:
    script = "import sys; from workers import gpu; print(gpu._torch_has_cuda(), 'torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.split() == [str(torch.version.cuda is not None), "False"]


def test_a_machine_without_a_driver_has_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert gpu.read_gpus() == []
