"""A set of tools is known by what is in it."""

from pathlib import Path

import pytest

from device_agents.runtimes.toolset import Toolset
from paretofarm.errors import ConfigError


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    (tmp_path / "runner").write_text("a program")
    return tmp_path / "runner"


def test_contents_and_places_make_the_folder(runner: Path, tmp_path: Path) -> None:
    first = Toolset("mine", {"bin/runner": runner}).folder
    assert first.startswith("/data/local/tmp/paretofarm/tools/mine/")
    assert Toolset("mine", {"bin/other": runner}).folder != first
    (tmp_path / "copy").write_text("a program")
    assert Toolset("mine", {"bin/runner": tmp_path / "copy"}).folder == first
    runner.write_text("another program")
    assert Toolset("mine", {"bin/runner": runner}).folder != first


@pytest.mark.parametrize(("name", "place"), [("../mine", "runner"), ("Mine", "runner"), ("", "runner")])
def test_a_name_is_one_folder(runner: Path, name: str, place: str) -> None:
    with pytest.raises(ConfigError, match="no name for a set of tools"):
        Toolset(name, {place: runner})


@pytest.mark.parametrize("place", ["/system/bin/sh", "../runner", "bin/../../runner"])
def test_places_lie_below_the_folder(runner: Path, place: str) -> None:
    with pytest.raises(ConfigError, match="no place below a folder"):
        Toolset("mine", {place: runner})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent is not a file"):
        Toolset("mine", {"runner": tmp_path / "absent"})
