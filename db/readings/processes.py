"""Which processes are there, and which work."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from paretofarm import instruments
from paretofarm.instrument import Reading

KINDS = ("scheduler", "worker", "agent")
STATES = ("idle", "busy", "lost")
_PROCESSES = text(
    """
    SELECT kind, CASE
        WHEN heartbeat_at < clock_timestamp() - interval '1 minute' THEN 'lost'
        WHEN EXISTS (SELECT FROM evaluations WHERE status = 'leased' AND owner = name) THEN 'busy'
        ELSE 'idle'
    END AS now, count(*)
    FROM workers
    WHERE heartbeat_at > clock_timestamp() - interval '1 hour' AND NOT details @> '{"stopped": true}'
    GROUP BY 1, 2
    """
)


def read_processes(session: Session) -> Iterator[Reading]:
    """Every state of every kind. One that ended as it should is not there; one that did not is lost for an hour."""
    numbers = {(kind, state): 0 for kind in KINDS for state in STATES}
    numbers |= {(kind, state): number for kind, state, number in session.execute(_PROCESSES)}
    for (kind, state), number in numbers.items():
        yield Reading(instruments.WORKERS, number, {"kind": kind, "state": state})
