"""How much work there is, how much has failed, and how long the rest has been waiting."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from paretofarm import instruments
from paretofarm.instrument import Reading
from paretofarm.lifecycle import EvaluationStatus

# One pass over the table for both instruments.
_COUNTS = text(
    """
    SELECT stage, queue, status, CASE WHEN status = 'failed' THEN coalesce(code, '') END AS code, count(*) AS number
    FROM evaluations GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    """
)
_OLDEST = text(
    """
    SELECT queue, extract(epoch FROM max(clock_timestamp() - greatest(created_at, not_before)))::double precision
    FROM evaluations WHERE status = 'queued' AND not_before <= clock_timestamp() GROUP BY queue
    """
)
_OVERDUE = text(
    """
    SELECT greatest(0, extract(epoch FROM clock_timestamp() - min(lease_expires_at)))::double precision
    FROM evaluations WHERE status = 'leased'
    """
)


def read_evaluations(session: Session) -> Iterator[Reading]:
    """Every status of every queue that was ever used, zeros included: a line that ends is read as missing data."""
    numbers: dict[tuple[str, str, str], int] = {}
    for stage, queue, status, code, number in session.execute(_COUNTS):
        for known in EvaluationStatus:
            numbers.setdefault((stage, queue, known.value), 0)
        numbers[stage, queue, status] += number
        if code is not None:
            yield Reading(instruments.FAILED_EVALUATIONS, number, {"stage": stage, "code": code})
    for (stage, queue, status), number in numbers.items():
        yield Reading(instruments.EVALUATIONS, number, {"stage": stage, "queue": queue, "status": status})
    yield from _ages(session, {queue for _, queue, _ in numbers})


def _ages(session: Session, queues: set[str]) -> Iterator[Reading]:
    oldest = dict.fromkeys(sorted(queues), 0.0)
    oldest |= {queue: age_s for queue, age_s in session.execute(_OLDEST)}
    for queue, age_s in oldest.items():
        yield Reading(instruments.QUEUE_OLDEST, age_s, {"queue": queue})
    yield Reading(instruments.OLDEST_LEASE, session.scalar(_OVERDUE) or 0.0)
