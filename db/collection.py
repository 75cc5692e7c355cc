"""Removes from the artifact store what nobody needs."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice

from db import retention
from db.artifacts import ArtifactStore, StoredFile
from db.retention import Expendable, Policy, Reason
from db.session import Database

BATCH = 1000


def plan(database: Database, store: ArtifactStore, policy: Policy) -> list[Expendable]:
    """What `collect` would remove. Changes nothing."""
    with database.transaction() as session:
        found = retention.expendable(session, retention.bounds(session, policy))
        before = retention.now(session) - policy.grace
    old = _old_files(store, before)
    return [*(each for each in found if each.sha256 in old), *_leftovers(database, old)]


def collect(database: Database, store: ArtifactStore, policy: Policy) -> list[Expendable]:
    """Marks, then removes files: those marked, now or by a run that was interrupted, and those that no row names.

    A file that was stored within the grace time stays: whoever stored it may not have reported it yet. Returns what
    was removed. Errors: BackupError where a backup is being made, those of the store.
    """
    with retention.retention_lock(database.url.render_as_string(hide_password=False)):
        with database.transaction() as session:
            reasons = {each.sha256: each.reason for each in retention.mark(session, policy)}
            before = retention.now(session) - policy.grace
        removed = []
        for each in _leftovers(database, _old_files(store, before)):
            if store.remove(each.sha256, stored_before=before):
                removed.append(replace(each, reason=reasons.get(each.sha256, each.reason)))
        return removed


def _old_files(store: ArtifactStore, before: datetime) -> dict[str, StoredFile]:
    """Files that were stored before then, by name. A store that does not say when loses nothing."""
    return {file.sha256: file for file in store.files() if file.modified_at is not None and file.modified_at < before}


def _leftovers(database: Database, files: Mapping[str, StoredFile]) -> Iterator[Expendable]:
    """Those of the files that no unmarked row names."""
    names = iter(files)
    while batch := list(islice(names, BATCH)):
        with database.transaction() as session:
            live = retention.live(session, batch)
            marked = retention.marked(session, batch)
        yield from (_leftover(files[name], marked.get(name)) for name in batch if name not in live)


def _leftover(file: StoredFile, kind: str | None) -> Expendable:
    reason = Reason.ORPHAN if kind is None else Reason.MARKED
    return Expendable(file.sha256, kind or "unknown", file.size_bytes, reason)
