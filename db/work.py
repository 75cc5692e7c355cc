"""How workers and agents work on one evaluation: claim it, keep the lease alive, do the work, write what came of it."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from db import leases
from db.leases import Claim, Report
from db.session import Database
from paretofarm.errors import DatabaseUnavailable, LeaseLost, ParetofarmError, WorkerCrashed

log = logging.getLogger(__name__)

HEARTBEATS_PER_LEASE = 4
SETTLE_RETRY_S = 2.0


class HandedBack(Exception):
    """The work was stopped from outside (a shutdown): the evaluation goes back, nobody is to blame."""


Work = Callable[[Claim, "LeaseKeeper"], Report]
"""Does the work of one claim; may set `keeper.on_lost` in order to stop early."""


class LeaseKeeper:
    """Extends a lease from a thread of its own while the work runs; `on_lost` is called once when it is gone."""

    def __init__(self, database: Database, claim: Claim, *, lease_s: float) -> None:
        self.on_lost: Callable[[], None] = lambda: None
        self.lost = threading.Event()
        self._database = database
        self._claim = claim
        self._lease_s = lease_s
        self._progress: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{claim.evaluation_id}", daemon=True)

    def progress(self, share: float) -> None:
        """How much of the work is done, 0 to 1; written with the next heartbeat."""
        self._progress = share

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(self._lease_s / HEARTBEATS_PER_LEASE):
            try:
                with self._database.transaction(durable=False) as session:
                    leases.extend(session, self._claim, self._lease_s, progress=self._progress)
            except DatabaseUnavailable as error:
                log.warning("no heartbeat for evaluation %s: %s", self._claim.evaluation_id, error)
            except LeaseLost:
                log.warning("lost the lease on evaluation %s, stopping its work", self._claim.evaluation_id)
                self.lost.set()
                self.on_lost()
                return


def perform(
    database: Database,
    evaluation_id: int,
    attempt: int,
    *,
    owner: str,
    lease_s: float,
    work: Work,
) -> None:
    """Works on one evaluation from claim to report. A message that nobody needs any more does nothing."""
    with database.statement() as connection:
        claim = leases.claim(connection, evaluation_id, attempt, owner=owner, lease_s=lease_s)
    if claim is None:
        log.info("evaluation %s attempt %s is not to be had: a stale message", evaluation_id, attempt)
        return
    log.info("%s of candidate %s begins (evaluation %s, attempt %s)", claim.step, claim.number, evaluation_id, attempt)
    started = time.monotonic()
    with LeaseKeeper(database, claim, lease_s=lease_s) as keeper:
        settle = _work(claim, keeper, work)
        stored = _settle(database, settle, keeper)
    outcome = "ended" if stored else "was dropped"
    log.info("%s of candidate %s %s after %.1f s", claim.step, claim.number, outcome, time.monotonic() - started)


Settle = Callable[[Database], None]


def _work(claim: Claim, keeper: LeaseKeeper, work: Work) -> Settle:
    """Does the work and returns what has to be written. Here, at the border, an unknown error becomes a crash."""
    try:
        report = work(claim, keeper)
    except HandedBack:
        return partial(_hand_back, claim=claim)
    except ParetofarmError as error:
        log.warning("%s of candidate %s: %s: %s", claim.step, claim.number, error.code, error)
        return partial(_fail, claim=claim, error=error)
    except Exception as error:
        log.exception("%s of candidate %s crashed", claim.step, claim.number)
        return partial(_fail, claim=claim, error=WorkerCrashed(f"{type(error).__name__}: {error}"))
    return partial(leases.hand_in, claim=claim, result=report)


def _hand_back(database: Database, *, claim: Claim) -> None:
    with database.transaction() as session:
        leases.hand_back(session, claim)


def _fail(database: Database, *, claim: Claim, error: ParetofarmError) -> None:
    with database.transaction() as session:
        leases.fail(session, claim, error)


def _settle(database: Database, settle: Settle, keeper: LeaseKeeper) -> bool:
    """Writes the outcome, again and again while the database is away and the lease may still be ours."""
    while True:
        try:
            settle(database)
            return True
        except LeaseLost:
            return False
        except DatabaseUnavailable as error:
            log.warning("the outcome cannot be stored yet: %s", error)
            if keeper.lost.wait(SETTLE_RETRY_S):
                return False
