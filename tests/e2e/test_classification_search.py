"""A search of classifiers from its file to the networks that leave it: the same commands as for segmentation."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from idx_data import write_idx
from PIL import Image

ROOT = Path(__file__).parents[2]
LIMIT_S = 400
NAME = "clothes"
CLASSES = ("coat", "bag", "shoe")
STEP = 80
"""Brightness of a class over that of the class before."""
DOCUMENT = {
    "name": NAME,
    "seed": 2,
    "search_space": {
        "type": "mobile_classifier",
        "input_size": 16,
        "stem_strides": [2],
        "stem_channels": [8],
        "stages": [2],
        "stage_layers": [1],
        "head_channels": [16, 32],
    },
    "algorithm": {"type": "random"},
    "objectives": [
        {"name": "accuracy", "goal": "maximize"},
        {"name": "latency_ms", "goal": "minimize", "device": "virtual"},
    ],
    "measurement": {
        "runtime": "onnxruntime",
        "max_relative_ci": 0.5,
        "min_block_s": 0.05,
        "min_inferences": 10,
        "max_blocks": 4,
        "max_reference_shift": 0.9,
        "calibration_images": 4,
    },
    "final": {"members": 2, "epochs": 3, "recipe": "search"},
    "stop": {"candidates": 3},
    "in_flight": 3,
}


@dataclass(frozen=True)
class Finished:
    """A search and the full training of its best, both over."""

    environment: Mapping[str, str]

    def cli(self, *arguments: str) -> str:
        return command(self.environment, *arguments)

    def candidates(self, search: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.cli("candidates", search, "--json"))["candidates"]
        return found


def command(environment: Mapping[str, str], *arguments: str) -> str:
    argv = (sys.executable, "-P", "-m", "cli", *arguments)
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("clothes")
    write_idx(folder / "data", step=STEP)
    (folder / "data" / "classes.txt").write_text("\n".join(CLASSES), encoding="utf-8")
    training = {
        "type": "classification",
        "dataset": {"type": "idx", "path": str(folder / "data"), "size": 16},
        "epochs": [2],
        "batch_size": 8,
        "learning_rate": 1e-2,
    }
    file = folder / "clothes.yaml"
    file.write_text(yaml.safe_dump({**DOCUMENT, "training": training}), encoding="utf-8")
    environment = {**os.environ, "PARETOFARM_DATA": str(folder / "farm"), "PARETOFARM_DASHBOARD_PORT": ""}
    command(environment, "search", "start", str(file), "--wait", "--phones", "1", "--workers", "1")
    return Finished(environment)


def test_candidates_have_accuracy_and_the_final_ones_that_of_the_phone(finished: Finished) -> None:
    metrics = [candidate["metrics"] for candidate in finished.candidates(NAME)]
    assert len(metrics) == 3 and all({"accuracy", "f1", "loss", "latency_ms"} <= set(each) for each in metrics)
    final = [candidate["metrics"] for candidate in finished.candidates(f"{NAME}-final")]
    assert len(final) == 2
    for each in final:
        assert {"accuracy", "device_accuracy", "device_f1"} <= set(each)
        assert "miou" not in each and "device_miou" not in each
        assert each["device_accuracy"] > 0.8


def test_the_command_line_speaks_of_accuracy(finished: Finished) -> None:
    best = str(finished.candidates(f"{NAME}-final")[0]["id"])
    told = finished.cli("candidate", best)
    assert re.search(r"accuracy +[\d.]+ \([\d.]+ in float32, [+-][\d.]+ on the phone\)", told)
    assert re.search(r"of images change", told)
    assert "IoU" not in told
    assert "device_accuracy" in finished.cli("front", f"{NAME}-final")


def test_an_exported_classifier_says_what_is_on_a_picture(finished: Finished, tmp_path: Path) -> None:
    best = str(finished.candidates(f"{NAME}-final")[0]["id"])
    finished.cli("export", best, "--out", str(tmp_path / "out"))
    for label, name in enumerate(CLASSES):
        picture = tmp_path / f"{name}.png"
        Image.fromarray(np.full((28, 28), label * STEP, np.uint8)).save(picture)
        argv = (sys.executable, "-I", "run.py", str(picture))
        done = subprocess.run(argv, cwd=tmp_path / "out", capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert len(lines) == len(CLASSES) and lines[0].startswith(f"{name}: ")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert card.splitlines()[2].startswith(f"An image classifier that the search `{NAME}-final` found")
    assert "| calibration | accuracy | points below float32 |" in card and "IoU" not in card


def test_the_report_shows_images_with_what_networks_take_them_for(finished: Finished, tmp_path: Path) -> None:
    finished.cli("report", NAME, "--out", str(tmp_path / "report.html"))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "IoU" not in page
    assert page.count('<td class="answer') >= 2 * 12
    assert all(f'<td class="answer">{name}</td>' in page for name in CLASSES)
    assert "F1 by class on the device, test images; images: the class&#39;s share of the labels" in page
