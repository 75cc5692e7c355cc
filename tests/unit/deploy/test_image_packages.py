"""What pip installs into an image is what its service imports when it is asked for something rare."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("image", ["scheduler", "dashboard"])
def test_whoever_fits_latency_predictors_has_scipy(image: str) -> None:
    program = runpy.run_path(str(ROOT / "deploy" / "docker" / "requirements.py"))
    lines = program["requirements"]((ROOT / "pyproject.toml").read_text(encoding="utf-8"), [image])
    assert [line for line in lines if line.startswith("scipy")]
