"""What is where in the data folder, and where the sockets are."""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cli.file_errors import readable_errors
from paretofarm.errors import StackError

POSTGRES_SOCKET = ".s.PGSQL.65535"
BROKER_SOCKET = "v.sock"
SOCKET_LIMIT = 107 if sys.platform == "linux" else 103


@dataclass(frozen=True)
class DataFolder:
    """Absolute paths below the folder in which one stack keeps everything (default `./.paretofarm`)."""

    root: Path

    @classmethod
    def create(cls, path: Path) -> "DataFolder":
        """Makes the folder where it is absent.

        Errors: `StackError` where it cannot be made or written, or is another user's. That holds for root too, whose
        servers would leave files there that the owner could not use any more.
        """
        folder = cls(Path(os.path.abspath(path)))
        with readable_errors(folder.root, StackError):
            folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder._refuse_foreign()
            folder.logs.mkdir(exist_ok=True)
        return folder

    @contextmanager
    def readable(self) -> Iterator[None]:
        """Reading in the block, StackError where that is not allowed: it says whose folder it is, if not ours."""
        with readable_errors(self.root, StackError):
            try:
                yield
            except (PermissionError, StackError) as error:
                if PermissionError in (type(error), type(error.__cause__)):
                    self._refuse_foreign()
                raise

    def _refuse_foreign(self) -> None:
        if (owner := self.root.stat().st_uid) != os.geteuid():
            raise StackError(f"{self.root} belongs to another user (id {owner}): run as that user")

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def users(self) -> Path:
        """Lock that every command holds, shared, while it uses a database that another process keeps."""
        return self.root / "users.lock"

    @property
    def state(self) -> Path:
        return self.root / "state.json"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def broker(self) -> Path:
        return self.root / "broker"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def password(self) -> Path:
        """What other machines must know, where the stack listens for them."""
        return self.root / "password"

    @property
    def remote(self) -> Path:
        """Addresses and password for other machines."""
        return self.root / "remote.env"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    @property
    def sockets(self) -> Path:
        """Folder of the sockets: `run` below the root, or one in the system's temporary folder.

        The second where the path is too long for a socket (107 bytes) or has a character that would need quoting in a
        URL or in Postgres' list of folders.
        """
        inside = self.root / "run"
        if _fits(inside):
            return inside
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return _temporary() / f"paretofarm-{os.geteuid()}-{digest}"


def create_private(folder: Path) -> None:
    """An empty folder for us alone. Errors: `StackError` where somebody else has put one of this name there."""
    with readable_errors(folder, StackError):
        if folder.exists() or folder.is_symlink():
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or (os.geteuid() not in (0, status.st_uid)):
                raise StackError(f"{folder} is in the way: it is not a folder of ours")
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700)


def _fits(folder: Path) -> bool:
    text = str(folder)
    return quote(text) == text and len(os.fsencode(folder / POSTGRES_SOCKET)) <= SOCKET_LIMIT


def _temporary() -> Path:
    system = Path(tempfile.gettempdir())
    return system if _fits(system / ("x" * 40)) else Path("/tmp")
