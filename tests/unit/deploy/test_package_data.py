"""What is installed is whole: images and wheels hold every file of the packages, not only Python's."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = ("cli", "dashboard", "db", "device_agents", "paretofarm", "scheduler", "workers")


def packaged(package: str) -> set[Path]:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    return {file for pattern in (*data["*"], *data.get(package, [])) for file in (ROOT / package).glob(pattern)}


def test_every_file_of_a_package_is_packaged() -> None:
    for package in PACKAGES:
        files = {file for file in (ROOT / package).rglob("*") if file.is_file() and "__pycache__" not in file.parts}
        others = {file for file in files if file.suffix != ".py"}
        assert others == packaged(package)
