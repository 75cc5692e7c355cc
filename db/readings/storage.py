"""How much room things take, and how much is left."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import text
from sqlalchemy.orm import Session

from paretofarm import instruments
from paretofarm.instrument import Reading

_DATABASE = text("SELECT pg_database_size(current_database())")
_ARTIFACTS = text(
    """
    SELECT kind, count(*), sum(size_bytes)::bigint FROM artifacts
    WHERE deleted_at IS NULL GROUP BY kind ORDER BY kind
    """
)


def read_storage(session: Session) -> Iterator[Reading]:
    """As the database knows it."""
    yield Reading(instruments.DATABASE_BYTES, session.scalar(_DATABASE) or 0)
    for kind, number, size_bytes in session.execute(_ARTIFACTS):
        yield Reading(instruments.ARTIFACTS, number, {"kind": kind})
        yield Reading(instruments.ARTIFACT_BYTES, size_bytes, {"kind": kind})


def read_store(url: str) -> Iterator[Reading]:
    """Of the store's file system; nothing where it is not a folder of this machine, or not there yet."""
    parts = urlsplit(url)
    if parts.scheme not in ("", "file", "local"):
        return
    try:
        usage = shutil.disk_usage(_existing(Path(unquote(parts.path))))
    except OSError:
        return
    yield Reading(instruments.STORE_FREE, usage.free)
    yield Reading(instruments.STORE_SIZE, usage.total)


def _existing(folder: Path) -> Path:
    """The folder or, before anything is stored, the nearest one above it."""
    return next((place for place in (folder, *folder.parents) if place.exists()), folder)
