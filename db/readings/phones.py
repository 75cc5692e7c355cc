"""How the phones are."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from paretofarm import instruments
from paretofarm.instrument import Reading
from paretofarm.phone_health import PhoneState

STATES = (*(state.value for state in PhoneState), "lost")
# An agent says nothing of its phone while it measures on it; what it then has is a lease.
_PHONES = text(
    """
    SELECT device, CASE
        WHEN EXISTS (
            SELECT FROM evaluations
            WHERE status = 'leased' AND owner = agent AND lease_expires_at > clock_timestamp()
        ) THEN 'busy'
        WHEN state IN ('ready', 'busy') AND last_seen_at < clock_timestamp() - interval '1 minute' THEN 'lost'
        ELSE state
    END AS now, count(*)
    FROM phones WHERE last_seen_at > clock_timestamp() - interval '7 days' GROUP BY 1, 2
    """
)


def read_phones(session: Session) -> Iterator[Reading]:
    """Every state of every device class; a phone that was not seen for a week is no longer counted."""
    numbers: dict[tuple[str, str], int] = {}
    for device, state, number in session.execute(_PHONES):
        for known in STATES:
            numbers.setdefault((device, known), 0)
        numbers[device, state] = number
    for (device, state), number in numbers.items():
        yield Reading(instruments.PHONES, number, {"device": device, "state": state})
