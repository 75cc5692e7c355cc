"""Which artifacts may be removed to save space, and the marks that say so.

A row is marked before its file goes, so that a crash in between loses nothing that anybody still counts on, and a later
reader is told what happened. Storing the content again takes the mark away (db/lease_statements.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from db.contents import RETENTION_LOCK, connected
from db.kept import front_members
from paretofarm.errors import BackupError


class Reason(StrEnum):
    """Why nobody needs an artifact."""

    CHECKPOINT = "checkpoint of a finished candidate off the front"
    NETWORK = "network of a finished candidate off the front"
    UNLINKED = "no candidate refers to it"
    ORPHAN = "in the store, not in the database"
    MARKED = "marked as removed before"


@dataclass(frozen=True)
class Policy:
    """checkpoints_after, networks_after: since the candidate finished. grace: since it was stored, for all."""

    checkpoints_after: timedelta = timedelta(days=7)
    networks_after: timedelta = timedelta(days=30)
    grace: timedelta = timedelta(days=1)


@dataclass(frozen=True)
class Expendable:
    """One artifact that may go."""

    sha256: str
    kind: str
    size_bytes: int
    reason: Reason


@contextmanager
def retention_lock(url: str) -> Iterator[None]:
    """Nobody else removes artifacts, and nobody copies them, within the block. Errors: BackupError where they do."""
    with connected(url) as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": RETENTION_LOCK}):
            raise BackupError("a backup, or another gc, is at work: try again when it has ended")
        connection.commit()
        yield
        # A server that is only hung up on lets go a moment later, and whoever comes next would be turned away.
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": RETENTION_LOCK})
        connection.commit()


def now(session: Session) -> datetime:
    """The database's clock."""
    found = session.scalar(text("SELECT clock_timestamp()"))
    assert isinstance(found, datetime)
    return found


def bounds(session: Session, policy: Policy) -> dict[str, Any]:
    """What an artifact is judged by: until when its candidate must have finished, and who is on a front.

    The times come first: whoever finishes while the fronts are read has finished too lately.
    """
    moment = now(session)
    times = {
        "checkpoints": moment - policy.checkpoints_after,
        "networks": moment - policy.networks_after,
        "grace": moment - policy.grace,
    }
    return {**times, "front": sorted(front_members(session))}


def expendable(session: Session, judged_by: Mapping[str, Any]) -> list[Expendable]:
    """Artifacts that no candidate needs who is unfinished, exported, pinned, on a front, or finished too lately.

    One that several candidates share is needed as long as one of them needs it. judged_by: see `bounds`.
    """
    rows = session.execute(text(_EXPENDABLE), judged_by)
    return [Expendable(row.sha256, row.kind, row.size_bytes, Reason[row.reason]) for row in rows]


def mark(session: Session, policy: Policy) -> list[Expendable]:
    """Marks what is expendable now. Nobody links an artifact from the judgement to the transaction's end."""
    judged_by = bounds(session, policy)
    session.execute(text("LOCK TABLE candidate_artifacts IN SHARE ROW EXCLUSIVE MODE"))
    found = expendable(session, judged_by)
    statement = text(
        "UPDATE artifacts SET deleted_at = clock_timestamp(), deleted_reason = :reason WHERE sha256 = ANY(:names)"
    )
    for reason in Reason:
        names = [each.sha256 for each in found if each.reason is reason]
        if names:
            session.execute(statement, {"reason": reason.value, "names": names})
    return found


def live(session: Session, names: Sequence[str]) -> set[str]:
    """Those of the artifacts that the database knows and has not marked."""
    query = text("SELECT sha256 FROM artifacts WHERE sha256 = ANY(:names) AND deleted_at IS NULL")
    return set(session.scalars(query, {"names": list(names)}))


def marked(session: Session, names: Sequence[str]) -> dict[str, str]:
    """Kinds of those that are marked, by name."""
    query = text("SELECT sha256, kind FROM artifacts WHERE sha256 = ANY(:names) AND deleted_at IS NOT NULL")
    return dict(session.execute(query, {"names": list(names)}).tuples().all())


_EXPENDABLE = """
WITH needs AS (
    SELECT
        l.sha256,
        l.kind,
        c.status IN ('proposed', 'running')
        OR c.exported_at IS NOT NULL
        OR c.pinned_at IS NOT NULL
        OR c.id = ANY(:front)
        OR c.finished_at IS NULL
        OR c.finished_at >= CASE l.kind WHEN 'checkpoint' THEN :checkpoints ELSE :networks END
        OR EXISTS (
            SELECT FROM evaluations v WHERE v.candidate_id = c.id AND v.status IN ('queued', 'leased')
        ) AS needed
    FROM candidate_artifacts l
    JOIN candidates c ON c.id = l.candidate_id
), judged AS (
    SELECT sha256, bool_or(needed) AS needed, bool_and(kind = 'checkpoint') AS checkpoint
    FROM needs
    GROUP BY sha256
)
SELECT a.sha256, a.kind, a.size_bytes,
    CASE WHEN j.sha256 IS NULL THEN 'UNLINKED' WHEN j.checkpoint THEN 'CHECKPOINT' ELSE 'NETWORK' END AS reason
FROM artifacts a
LEFT JOIN judged j ON j.sha256 = a.sha256
WHERE a.deleted_at IS NULL AND a.created_at < :grace AND NOT coalesce(j.needed, false)
ORDER BY a.sha256
"""
