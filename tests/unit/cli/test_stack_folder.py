"""Paths of the data folder, and where sockets fit."""

import os
import stat
from pathlib import Path

import pytest

from cli.stack.folder import SOCKET_LIMIT, DataFolder, create_private
from paretofarm.errors import StackError


def test_sockets_are_in_the_data_folder_where_their_path_fits() -> None:
    assert DataFolder(Path("/srv/farm")).sockets == Path("/srv/farm/run")


@pytest.mark.parametrize("root", ["/" + "d" * 100, "/my farm", "/a,b", "/ümlaut", "/50%"])
def test_sockets_are_elsewhere_where_a_path_is_long_or_odd(root: str) -> None:
    sockets = DataFolder(Path(root)).sockets
    assert Path(root) not in sockets.parents
    assert len(os.fsencode(sockets / ".s.PGSQL.65535")) <= SOCKET_LIMIT


def test_the_last_byte_of_a_socket_path_is_used() -> None:
    room = SOCKET_LIMIT - len("/run/.s.PGSQL.65535")
    fits, does_not = Path("/" + "d" * (room - 1)), Path("/" + "d" * room)
    assert DataFolder(fits).sockets == fits / "run"
    assert DataFolder(does_not).sockets != does_not / "run"


def test_two_long_folders_have_sockets_of_their_own() -> None:
    assert DataFolder(Path("/" + "a" * 120)).sockets != DataFolder(Path("/" + "b" * 120)).sockets


def test_a_private_folder_is_emptied_and_ours_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)
    (tmp_path / "run" / "stale.sock").write_text("")
    create_private(tmp_path / "run")
    assert list((tmp_path / "run").iterdir()) == []
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


def test_a_link_in_the_place_of_a_private_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "target")
    with pytest.raises(StackError, match="run is in the way"):
        create_private(tmp_path / "run")


def test_the_data_folder_is_made_private_with_its_parents(tmp_path: Path) -> None:
    folder = DataFolder.create(tmp_path / "a" / "b")
    assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700
    assert folder.log("worker") == tmp_path / "a" / "b" / "logs" / "worker.log"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_another_users_folder_is_refused_even_to_root(tmp_path: Path) -> None:
    os.chown(tmp_path, 4711, -1)
    with pytest.raises(StackError, match=r"belongs to another user \(id 4711\): run as that user"):
        DataFolder.create(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_what_may_not_be_read_says_whose_it_is(tmp_path: Path) -> None:
    os.chown(tmp_path, 4711, -1)
    with pytest.raises(StackError, match=r"belongs to another user \(id 4711\)"), DataFolder(tmp_path).readable():
        raise PermissionError(13, "Permission denied", str(tmp_path / "lock"))


def test_what_may_not_be_read_in_our_own_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="lock: Permission denied"), DataFolder(tmp_path).readable():
        raise PermissionError(13, "Permission denied", str(tmp_path / "lock"))
