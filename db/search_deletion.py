"""Takes a search away: its rows, and the artifacts that nobody else's candidates share.

Events stay: they outlive what they are about. Files that somebody may be about to refer to are left to `paretofarm gc`.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from db import events, experiments, retention
from db.artifacts import ArtifactStore
from db.events import EventKind
from db.experiments import ExperimentStatus, StoredExperiment
from db.planning import wait_for_planning
from db.session import Database
from paretofarm.errors import Conflict

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Extent:
    """How much there is of a search. artifacts, size_bytes: of those that nobody shares."""

    name: str
    candidates: int
    evaluations: int
    measurements: int
    artifacts: int
    size_bytes: int


@dataclass(frozen=True)
class Deletion:
    """files: how many were removed; the rest of the artifacts are removed by the next `gc`."""

    extent: Extent
    files: int


def extent(session: Session, name_or_id: str) -> Extent:
    """What would go, its control with it. NotFound for no such search; Conflict for one that runs."""
    search = experiments.find(session, name_or_id)
    mine = {"searches": _with_control(session, search)}
    candidates, evaluations, measurements = session.execute(text(_COUNTS), mine).one()
    unshared = text(f"SELECT count(*), coalesce(sum(size_bytes), 0) {_UNSHARED}")
    artifacts, size_bytes = session.execute(unshared, mine).one()
    return Extent(search.name, candidates, evaluations, measurements, artifacts, int(size_bytes))


def _with_control(session: Session, search: StoredExperiment) -> list[int]:
    """Ids. Conflict where one of them runs."""
    control = experiments.control_id(session, search.id)
    both = [search] if control is None else [search, experiments.get(session, control)]
    for each in both:
        if each.status is ExperimentStatus.RUNNING:
            raise Conflict(f"the search {each.name!r} is running: stop it first")
    return [each.id for each in both]


def delete_search(database: Database, store: ArtifactStore, name_or_id: str) -> Deletion:
    """Errors: NotFound; Conflict for a search that runs; BackupError while one is made; those of the store."""
    url = database.url.render_as_string(hide_password=False)
    with retention.retention_lock(url):
        with database.transaction() as session:
            wait_for_planning(session)
            found = extent(session, name_or_id)
            search = experiments.find(session, name_or_id)
            searches = _with_control(session, search)
            before = _settled(session, searches, store)
            # Nobody links an artifact from the judgement on.
            session.execute(text("LOCK TABLE candidate_artifacts IN SHARE ROW EXCLUSIVE MODE"))
            query = text(f"SELECT a.sha256 {_UNSHARED} FOR UPDATE OF a SKIP LOCKED")
            names = list(session.scalars(query, {"searches": searches}))
            details: dict[str, Any] = {"name": found.name, "candidates": found.candidates, "artifacts": len(names)}
            events.record(session, EventKind.EXPERIMENT_DELETED, experiment_id=search.id, details=details)
            session.execute(text("DELETE FROM experiments WHERE id = ANY(:searches)"), {"searches": searches})
            session.execute(text("DELETE FROM artifacts WHERE sha256 = ANY(:names)"), {"names": names})
        files = sum(store.remove(name, stored_before=before) for name in names)
    log.info("search %s is deleted: %s candidates, %s files", found.name, found.candidates, files)
    return Deletion(found, files)


def _settled(session: Session, searches: list[int], store: ArtifactStore) -> datetime:
    """Since when nobody can have stored a file that another search's evaluation has still to report.

    Such an evaluation has been at work since its claim. A store that does not renew a file's age when its content is
    stored again says for how long it does not.
    """
    oldest = session.scalar(text(_OLDEST_WORK), {"searches": searches})
    assert isinstance(oldest, datetime)
    return oldest - store.renewed_after - timedelta(seconds=1)


_COUNTS = """
SELECT
    (SELECT count(*) FROM candidates WHERE experiment_id = ANY(:searches)),
    (SELECT count(*) FROM evaluations v JOIN candidates c ON c.id = v.candidate_id
     WHERE c.experiment_id = ANY(:searches)),
    (SELECT count(*) FROM measurements m JOIN evaluations v ON v.id = m.evaluation_id
     JOIN candidates c ON c.id = v.candidate_id WHERE c.experiment_id = ANY(:searches))
"""
_UNSHARED = """
FROM artifacts a
WHERE a.sha256 IN (
    SELECT l.sha256 FROM candidate_artifacts l JOIN candidates c ON c.id = l.candidate_id
    WHERE c.experiment_id = ANY(:searches)
)
AND NOT EXISTS (
    SELECT FROM candidate_artifacts l JOIN candidates c ON c.id = l.candidate_id
    WHERE l.sha256 = a.sha256 AND c.experiment_id <> ALL(:searches)
)
"""
_OLDEST_WORK = """
SELECT least(clock_timestamp(), min(v.started_at))
FROM evaluations v
JOIN candidates c ON c.id = v.candidate_id
WHERE v.status = 'leased' AND c.experiment_id <> ALL(:searches)
"""
