"""compose.gpu.yml: what is built for CUDA, and who gets the GPU. The image itself is some gigabytes: not built here."""

import re
import subprocess
from pathlib import Path

import pytest
from compose_config import merged
from compose_file import ROOT

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
WORKER = "worker", "trainer", "data", "demo-data"
GPU = "compose.gpu.yml"


def arguments(*overrides: str, name: str, index: str | None = None) -> str:
    environment = {} if index is None else {"TORCH_INDEX": index}
    found: str = merged(*overrides, environment=environment)[name]["build"]["args"]["TORCH_INDEX"]
    return found


@pytest.mark.parametrize("name", WORKER)
def test_every_service_of_the_worker_image_is_built_for_cuda(name: str) -> None:
    service = merged(GPU)[name]
    assert service["image"] == "paretofarm-worker-cuda:local"
    assert service["build"]["args"]["TORCH_INDEX"] == ""
    assert service["build"]["target"] == "worker"


def test_without_the_override_torch_is_built_for_cpus() -> None:
    assert arguments(name="trainer") == CPU_INDEX


def test_another_index_can_be_named() -> None:
    assert arguments(GPU, name="trainer", index="https://wheels.example/cu130") == "https://wheels.example/cu130"
    assert arguments(name="trainer", index="https://wheels.example/cpu") == "https://wheels.example/cpu"


def test_trainers_alone_get_the_gpu() -> None:
    services = merged(GPU, environment={"PARETOFARM_GPUS": "2"})
    reserved = {
        name: service["deploy"]["resources"]["reservations"]["devices"]
        for name, service in services.items()
        if "devices" in service.get("deploy", {}).get("resources", {}).get("reservations", {})
    }
    assert reserved == {"trainer": [{"driver": "nvidia", "count": 2, "capabilities": ["gpu"]}]}


def test_a_gpu_has_several_trainings_and_a_cpu_one() -> None:
    def slots(*overrides: str, **environment: str) -> str:
        command: list[str] = merged(*overrides, environment=environment)["trainer"]["command"]
        return command[-1]

    assert (slots(GPU), slots()) == ("4", "1")
    assert slots(GPU, PARETOFARM_TRAIN_SLOTS="12") == slots(PARETOFARM_TRAIN_SLOTS="12") == "12"


@pytest.mark.parametrize(
    ("index", "indices"), [("", []), ("https://wheels.example/cu130", ["https://wheels.example/cu130"])]
)
def test_the_argument_decides_where_pip_looks_for_torch(tmp_path: Path, index: str, indices: list[str]) -> None:
    """The Dockerfile's own command, with a pip that says what it was told."""
    stage = (ROOT / "Dockerfile").read_text(encoding="utf-8").split(" AS worker-environment\n")[1].split("\nFROM ")[0]
    command = re.findall(r"^ +(pip install .*)$", stage, re.MULTILINE)[0]
    pip = tmp_path / "pip"
    pip.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    pip.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TORCH_INDEX": index}
    said = subprocess.run(
        ["sh", "-euc", command], env=environment, capture_output=True, text=True, check=True, timeout=10
    )
    told = said.stdout.split()
    assert told[:5] == ["install", "--requirement", "worker.txt", "--constraint", "constraints.txt"]
    assert told[5:] == [word for found in indices for word in ("--extra-index-url", found)]
