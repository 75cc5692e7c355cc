"""A file is made once on a host, whoever asks first, and everybody sees the same bytes."""

from pathlib import Path
from threading import Barrier, Thread

import pytest

from workers.toolchains.made_once import made_once


def test_it_is_made_when_it_is_first_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a" / "reference"
    assert made_once(path, lambda file: _write(file, "first")).read_text() == "first"
    assert made_once(path, lambda file: _write(file, "second")).read_text() == "first"


def test_of_two_that_make_it_at_once_one_wins(tmp_path: Path) -> None:
    path, both = tmp_path / "reference", Barrier(2, timeout=10)
    seen: list[str] = []

    def make(text: str) -> None:
        def write(file: Path) -> None:
            both.wait()
            _write(file, text)

        seen.append(made_once(path, write).read_text())

    threads = [Thread(target=make, args=(text,)) for text in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 2
    assert set(seen) == {path.read_text()}
    assert [file.name for file in tmp_path.iterdir()] == ["reference"]


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(file: Path) -> None:
        _write(file, "half")
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        made_once(tmp_path / "reference", fail)
    assert list(tmp_path.iterdir()) == []


def _write(file: Path, text: str) -> None:
    file.write_text(text)
