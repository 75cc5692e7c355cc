"""One plans at a time: the lock that a scheduler holds while it does."""

from sqlalchemy import text
from sqlalchemy.orm import Session

PLANNING_LOCK = 0x70617265746F
"""("pareto" in ASCII.)"""


def plans(session: Session) -> bool:
    """Whether this transaction is the one that plans; the lock goes with the transaction."""
    return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": PLANNING_LOCK}))


def wait_for_planning(session: Session) -> None:
    """Nobody plans from here to the end of the transaction: for changes that a plan must not meet half-way."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PLANNING_LOCK})
