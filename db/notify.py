"""Tells whoever listens that there is something new, after the transaction that made it so."""

import logging

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

CHANNEL = "paretofarm"

log = logging.getLogger(__name__)


def notify(session: Session) -> None:
    """Asks for one notification once this transaction has committed; asking twice gives one."""
    session.info["notify"] = True


def send_pending(session: Session) -> None:
    """Sends what was asked for, in a second transaction that does not wait for the disk; never raises.

    NOTIFY inside the first would be simpler, but Postgres lets notifying transactions commit one at a time, fsync
    included: with 16 claimants that costs most of the throughput (benchmarks/leases.py). A crash in between loses a
    wake-up, which the listeners' poll makes good.
    """
    if not session.info.pop("notify", False):
        return
    try:
        with session.begin():
            session.execute(text("SET LOCAL synchronous_commit = off"))
            session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    except DBAPIError as error:
        # The transaction before has committed: reporting a failure now would make the caller repeat it.
        log.warning("notification lost, listeners will find the news by polling: %s", error.orig)
