"""How far searches are, asked again and again: what takes long to say is kept as long as it is worth it."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from db import experiments
from db.course import Standing
from db.experiments import StoredExperiment
from db.progress import failures, progress
from db.racing import repetitions
from db.reported import simulated_devices
from db.search_status import SearchStatus
from db.standings import standing
from paretofarm.lifecycle import CandidateStatus

SHARE = 0.1
"""Of the time at most is spent on it: what took a second is kept for ten, however much happens."""


@dataclass(frozen=True)
class _Kept:
    """ended: how many candidates had ended, and what `repetitions` said; fresh_until: by the monotonic clock."""

    ended: tuple[int, int, int]
    search: StoredExperiment
    standing: Standing
    failures: Mapping[str, int]
    simulated: tuple[str, ...]
    fresh_until: float


class StatusBoard:
    """The status of any search. Counts are always fresh; front, failures and labels may be as old as ten times what
    they cost, and only where something has happened since. Safe to share between threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._kept: dict[int, _Kept] = {}

    def read(self, session: Session, search: StoredExperiment) -> SearchStatus:
        kept = self._kept.get(search.id)
        now = progress(session, search, {} if kept is None else kept.failures)
        number = sum(count for status, count in now.counts.items() if status.is_final)
        ended = (number, *repetitions(session, search.id))
        if kept is None or self._is_stale(kept, ended, search):
            kept = self._renew(session, search, ended, now.counts[CandidateStatus.COMPLETE])
        return SearchStatus(search, replace(now, failures=kept.failures), kept.standing, kept.simulated)

    def list(self, session: Session) -> list[SearchStatus]:
        """All searches, oldest first."""
        return [self.read(session, search) for search in experiments.list_experiments(session)]

    def _is_stale(self, kept: _Kept, ended: tuple[int, int, int], search: StoredExperiment) -> bool:
        if kept.search.experiment != search.experiment:
            return True
        return kept.ended != ended and self._now() >= kept.fresh_until

    def _renew(self, session: Session, search: StoredExperiment, ended: tuple[int, int, int], complete: int) -> _Kept:
        """One at a time: whoever asks meanwhile waits for the same answer."""
        with self._lock:
            known = self._kept.get(search.id)
            if known is not None and not self._is_stale(known, ended, search):
                return known
            started = self._now()
            found = standing(session, search, complete)
            codes, simulated = failures(session, search.id), simulated_devices(session, search.id)
            fresh_until = self._now() + (self._now() - started) / SHARE
            kept = _Kept(ended, search, found, codes, simulated, fresh_until)
            self._kept[search.id] = kept
            return kept
