"""What an agent tells the database about its phone, and what it hears back. A database that is away hears it later."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db import events, phones
from db.claim import Claim
from db.events import EventKind
from db.session import Database
from device_agents.ledger import Ledger
from paretofarm.errors import DatabaseUnavailable
from paretofarm.phone_health import Status

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Standing:
    """What the database says: why the phone is in quarantine, None where it is not."""

    quarantine: str | None


@dataclass(frozen=True)
class PhoneRecords:
    """Of one phone."""

    database: Database
    phone_id: int
    ledger: Ledger

    def tell(self, status: Status, conditions: Mapping[str, Any] | None, *, quarantine: str | None) -> Standing | None:
        """A sign of life with all that was noted since the last; None where the database does not answer.

        quarantine: why the phone goes into quarantine just now.
        """
        try:
            with self.database.transaction(durable=False) as session:
                if quarantine is not None:
                    phones.quarantine(session, self.phone_id, quarantine)
                phones.set_state(session, self.phone_id, status.state, status.reason, conditions)
                written = self.ledger.write(session, self.phone_id)
                standing = Standing(phones.quarantine_reason(session, self.phone_id))
        except DatabaseUnavailable as error:
            log.warning("the state of phone %s is not recorded: %s", self.phone_id, error)
            return None
        self.ledger.forget(written)
        return standing

    def event(self, kind: EventKind, details: Mapping[str, Any], claim: Claim | None = None) -> None:
        """Something that happened to the phone, in the course of a claim where there is one."""
        subject = {} if claim is None else _subject(claim)
        try:
            with self.database.transaction(durable=False) as session:
                events.record(session, kind, details=details, phone_id=self.phone_id, **subject)
        except DatabaseUnavailable as error:
            log.warning("not recorded: %s %s: %s", kind.value, dict(details), error)


def _subject(claim: Claim) -> dict[str, int]:
    return {
        "experiment_id": claim.experiment_id,
        "candidate_id": claim.candidate_id,
        "evaluation_id": claim.evaluation_id,
    }
