"""What a phone spends its time on, noted as it ends and written together with the next sign of life."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db import phone_work
from db.phone_work import EndedWork, WorkKind

REMEMBERED = 1000
"""Entries that wait for a database that is away; the oldest go first."""


@dataclass(frozen=True)
class _Entry:
    kind: WorkKind
    outcome: str
    started: float
    ended: float
    evaluation_id: int | None


class Ledger:
    """Of one phone. Times by the agent's stop-watch. Not for several threads: the consumer's thread does it all."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: deque[_Entry] = deque(maxlen=REMEMBERED)

    def note(self, kind: WorkKind, outcome: str, *, started: float, evaluation_id: int | None = None) -> None:
        """Something that began at `started` has just ended."""
        self._entries.append(_Entry(kind, outcome, started, self._clock(), evaluation_id))

    def write(self, session: Session, phone_id: int) -> int:
        """Writes all that is noted; how many entries to `forget` once the caller's transaction has committed."""
        now = self._clock()
        ended = [
            EndedWork(each.kind, each.outcome, each.ended - each.started, now - each.ended, each.evaluation_id)
            for each in self._entries
        ]
        phone_work.store(session, phone_id, ended)
        return len(ended)

    def forget(self, count: int) -> None:
        """These are in the database."""
        for _ in range(count):
            self._entries.popleft()
