"""How often what has happened: counters that outlive every process, since they are counted from the events."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from db.events import EventKind
from paretofarm import instruments
from paretofarm.errors import LeaseExpired
from paretofarm.instrument import Reading

# A transaction that began earlier may add an event before the last one seen: only what is older than any transaction
# is counted for good.
_SETTLED = text(
    """
    SELECT id FROM events WHERE id > :settled AND at < clock_timestamp() - interval '2 minutes'
    ORDER BY id DESC LIMIT 1
    """
)
_COUNTS = text(
    """
    SELECT kind, details ->> 'code' AS code, id <= :upto AS settled, count(*) AS number
    FROM events WHERE id > :settled GROUP BY 1, 2, 3
    """
)


class EventReadings:
    """Reads every event once or, while it is young, a few times."""

    def __init__(self) -> None:
        self._settled = 0
        self._counts: Counter[tuple[str, str | None]] = Counter()

    def read(self, session: Session) -> Iterator[Reading]:
        upto = session.scalar(_SETTLED, {"settled": self._settled}) or self._settled
        settled, young = Counter(self._counts), Counter[tuple[str, str | None]]()
        for kind, code, is_settled, number in session.execute(_COUNTS, {"settled": self._settled, "upto": upto}):
            (settled if is_settled else young)[kind, code] += number
        self._settled, self._counts = upto, settled
        yield from _readings(settled + young)


def _readings(counts: Counter[tuple[str, str | None]]) -> Iterator[Reading]:
    kinds, codes = Counter({kind.value: 0 for kind in EventKind}), Counter[str]()
    for (kind, code), number in counts.items():
        kinds[kind] += number
        if code is not None:
            codes[code] += number
    for kind, number in kinds.items():
        yield Reading(instruments.EVENTS, number, {"kind": kind})
    for code, number in codes.items():
        yield Reading(instruments.ATTEMPT_FAILURES, number, {"code": code})
    yield Reading(instruments.LEASES_EXPIRED, codes[LeaseExpired.__name__])
