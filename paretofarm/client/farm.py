"""A dashboard, by HTTP."""

import hashlib
import os
import shutil
from http.client import HTTPException
from pathlib import Path

from paretofarm.client.candidates import Document
from paretofarm.client.connection import ApiError, Connection
from paretofarm.client.search import Search
from paretofarm.errors import ConfigError

CHUNK_BYTES = 1 << 20


def connect(url: str, token: str | None = None, *, timeout_s: float = 30.0) -> "Farm":
    """url: of the dashboard, `http://127.0.0.1:8080`; token: as `paretofarm token create` printed it, None for a
    dashboard that is open. Nothing is asked yet."""
    return Farm(Connection(url, token, timeout_s=timeout_s))


class Farm:
    """Errors: those of `Connection`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def searches(self) -> list[Document]:
        """All, oldest first, as `paretofarm search list --json`."""
        found: list[Document] = self._connection.get("/searches")["searches"]
        return found

    def search(self, name: str | int) -> Search:
        return Search(self._connection, str(name))

    def start(self, file: Path | str, *, check_data: bool = True) -> Search:
        """Starts the search that an experiment file describes; the same again goes on."""
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: cannot be read: {error}") from error
        asked = {"check_data": check_data}
        begun = self._connection.post("/searches", asked, content=text, kind="application/yaml")
        return self.search(begun["name"])

    def candidate(self, candidate_id: int) -> Document:
        """Everything about one candidate, as `paretofarm candidate --json`."""
        return self._connection.get(f"/candidates/{candidate_id}")

    def lineage(self, candidate_id: int) -> Document:
        return self._connection.get(f"/candidates/{candidate_id}/lineage")

    def pin(self, candidate_id: int) -> Document:
        return self._connection.post(f"/candidates/{candidate_id}/pin")

    def unpin(self, candidate_id: int) -> Document:
        return self._connection.post(f"/candidates/{candidate_id}/unpin")

    def rerun(self, candidate_id: int) -> Document:
        """Tries again what failed; measures a complete candidate again."""
        return self._connection.post(f"/candidates/{candidate_id}/rerun")

    def export(self, candidate_id: int, to: Path | str) -> Path:
        """Writes its networks, a model card and a program that runs them as a zip file."""
        return self._download(f"/candidates/{candidate_id}/export", Path(to), None)

    def artifact(self, sha256: str, to: Path | str) -> Path:
        """Writes an artifact's content, verified, to a file."""
        return self._download(f"/artifacts/{sha256}", Path(to), sha256)

    def phones(self) -> list[Document]:
        found: list[Document] = self._connection.get("/phones")["phones"]
        return found

    def workers(self) -> list[Document]:
        found: list[Document] = self._connection.get("/workers")["workers"]
        return found

    def events(self, *, after: int | None = None, search: str | None = None, limit: int = 100) -> list[Document]:
        """Oldest first: those that follow `after`, else the newest."""
        asked = {"after": after, "search": search, "limit": limit}
        found: list[Document] = self._connection.get("/events", asked)["events"]
        return found

    def _download(self, path: str, to: Path, sha256: str | None) -> Path:
        """All or nothing."""
        partial = to.with_name(f".{to.name}.{os.getpid()}.part")
        try:
            with self._connection.open(path) as answer, partial.open("wb") as file:
                shutil.copyfileobj(answer, file, CHUNK_BYTES)
            if sha256 is not None and _sha256(partial) != sha256:
                raise ApiError(f"{path}: what arrived is damaged")
            partial.replace(to)
        except (OSError, HTTPException) as error:
            raise ApiError(f"{path} to {to}: {error}") from error
        finally:
            partial.unlink(missing_ok=True)
        return to


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
