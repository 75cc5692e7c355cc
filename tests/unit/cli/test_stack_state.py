"""The lock of a data folder and the file that says what runs in it."""

import os
from dataclasses import replace
from pathlib import Path

from cli.stack.folder import DataFolder
from cli.stack.state import FileLock, StackMode, StackState, find_running_stack, lock_holder

STATE = StackState("a1", os.getpid(), StackMode.FULL, "postgresql://x")


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = replace(STATE, broker_url="redis+socket:///v.sock", phones={"one": "127.0.0.1:1"})
    written.write(tmp_path / "state.json")
    assert StackState.read(tmp_path / "state.json") == written
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_missing_or_damaged_state_is_none(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    assert StackState.read(file) is None
    for damage in ("", "{", "[]", '{"mode": "odd"}', '{"mode": "full"}'):
        file.write_text(damage)
        assert StackState.read(file) is None


def test_a_stack_is_found_while_its_lock_is_held(tmp_path: Path) -> None:
    folder = DataFolder.create(tmp_path)
    STATE.write(folder.state)
    assert find_running_stack(tmp_path) is None
    with FileLock(folder.lock) as lock:
        assert lock.acquire()
        assert find_running_stack(tmp_path) == STATE
    assert find_running_stack(tmp_path) is None


def test_a_state_that_the_holder_has_not_written_is_not_believed(tmp_path: Path) -> None:
    """The holder has just started; the file is still that of a killed one."""
    folder = DataFolder.create(tmp_path)
    replace(STATE, pid=1).write(folder.state)
    with FileLock(folder.lock) as lock:
        assert lock.acquire()
        assert find_running_stack(tmp_path) is None
        assert lock_holder(folder) == os.getpid()


def test_an_exclusive_lock_waits_no_longer_than_told(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock") as first, FileLock(tmp_path / "lock") as second:
        assert first.acquire()
        assert not second.acquire()
        assert not second.acquire(shared=True, wait_s=0.01)
        assert second.holder() == os.getpid()


def test_shared_locks_exclude_an_exclusive_one_only(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock") as first, FileLock(tmp_path / "lock") as second:
        assert first.acquire(shared=True)
        assert second.acquire(shared=True)
        assert not second.acquire()


def test_looking_for_a_stack_makes_no_file(tmp_path: Path) -> None:
    assert find_running_stack(tmp_path / "none") is None
    assert list(tmp_path.iterdir()) == []
