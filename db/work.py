"""How workers and agents work on one evaluation: claim it, keep the lease alive, do the work, write what came of it."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import copy_context
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import Self

from db import leases
from db.leases import Claim, Report
from db.session import Database
from paretofarm import instruments
from paretofarm.errors import DatabaseUnavailable, LeaseLost, ParetofarmError, WorkerCrashed
from paretofarm.log_context import log_fields
from paretofarm.meter import NO_METER, Meter

log = logging.getLogger(__name__)

HEARTBEATS_PER_LEASE = 4
SETTLE_RETRY_S = 2.0
NOT_OURS = "it is somebody else's by now, or its search was deleted"


class HandedBack(Exception):
    """The work was stopped from outside (a shutdown): the evaluation goes back, nobody is to blame."""


Work = Callable[[Claim, "LeaseKeeper"], Report]
"""Does the work of one claim; may set `keeper.on_lost` in order to stop early."""


class LeaseKeeper:
    """Extends a lease from a thread of its own while the work runs; `on_lost` is called once when it is gone."""

    def __init__(self, database: Database, claim: Claim, *, lease_s: float, meter: Meter = NO_METER) -> None:
        self.on_lost: Callable[[], None] = lambda: None
        self.lost = threading.Event()
        self._database = database
        self._claim = claim
        self._lease_s = lease_s
        self._meter = meter
        self._progress: float | None = None
        self._stop = threading.Event()
        # What it logs is about this claim as well.
        arguments = (self._beat,)
        name = f"lease-{claim.evaluation_id}"
        self._thread = threading.Thread(target=copy_context().run, args=arguments, name=name, daemon=True)

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
                self._meter.add(instruments.HEARTBEAT_FAILURES)
                self._meter.add(instruments.OUTAGES, server="database")
                log.warning("no heartbeat for evaluation %s: %s", self._claim.evaluation_id, error)
            except LeaseLost:
                log.warning("lost the lease on evaluation %s, stopping its work", self._claim.evaluation_id)
                self.lost.set()
                self.on_lost()
                return


class Outcome(StrEnum):
    """What came of working on an evaluation, as metrics name it."""

    DONE = "done"
    FAILED = "failed"
    HANDED_BACK = "handed_back"
    LOST = "lost"


Settle = Callable[[Database], None]


@dataclass(frozen=True)
class _Ending:
    """settle: writes the outcome. error: where there was one; crash: of an unknown class, as it was raised."""

    outcome: Outcome
    settle: Settle
    error: ParetofarmError | None = None
    crash: Exception | None = None


def perform(
    database: Database,
    evaluation_id: int,
    attempt: int,
    *,
    owner: str,
    lease_s: float,
    work: Work,
    meter: Meter = NO_METER,
) -> None:
    """Works on one evaluation from claim to report. A message that nobody needs any more does nothing."""
    with log_fields(evaluation_id=evaluation_id, attempt=attempt, owner=owner):
        with database.statement() as connection:
            claim = leases.claim(connection, evaluation_id, attempt, owner=owner, lease_s=lease_s)
        if claim is None:
            meter.add(instruments.STALE_MESSAGES)
            log.info("evaluation %s attempt %s is not to be had: a stale message", evaluation_id, attempt)
            return
        with _about(claim):
            _perform(database, claim, lease_s=lease_s, work=work, meter=meter)


def _about(claim: Claim) -> AbstractContextManager[None]:
    search, step = claim.experiment_name, claim.step
    return log_fields(
        search=search,
        candidate_id=claim.candidate_id,
        candidate=claim.number,
        stage=step.stage.value,
        device=step.device,
    )


def _perform(database: Database, claim: Claim, *, lease_s: float, work: Work, meter: Meter) -> None:
    log.info(
        "%s of candidate %s begins (evaluation %s, attempt %s)",
        claim.step,
        claim.number,
        claim.evaluation_id,
        claim.attempt,
    )
    started, stage = time.monotonic(), claim.step.stage.value
    meter.add(instruments.IN_PROGRESS, stage=stage)
    try:
        with LeaseKeeper(database, claim, lease_s=lease_s, meter=meter) as keeper:
            ending = _work(claim, keeper, work)
            stored = _settle(database, ending.settle, keeper, meter)
    finally:
        meter.add(instruments.IN_PROGRESS, -1.0, stage=stage)
    duration_s = time.monotonic() - started
    _count(meter, stage, ending if stored else _Ending(Outcome.LOST, ending.settle), duration_s)
    if not stored:
        log.warning("%s of candidate %s is dropped: %s", claim.step, claim.number, NOT_OURS)
        return
    _say(claim, ending)
    log.info("%s of candidate %s ended after %.1f s", claim.step, claim.number, duration_s)


def _say(claim: Claim, ending: _Ending) -> None:
    """What went wrong, once that is stored: of a search that was deleted meanwhile, with the files that were worked on,
    it is no news."""
    if ending.crash is not None:
        log.error("%s of candidate %s crashed", claim.step, claim.number, exc_info=ending.crash)
    elif ending.error is not None:
        log.warning("%s of candidate %s: %s: %s", claim.step, claim.number, ending.error.code, ending.error)


def _count(meter: Meter, stage: str, ending: _Ending, duration_s: float) -> None:
    meter.observe(instruments.PERFORM_SECONDS, duration_s, stage=stage)
    if ending.error is not None:
        meter.add(instruments.ERRORS, stage=stage, code=ending.error.code)
    meter.add(instruments.PERFORMED, stage=stage, outcome=ending.outcome.value)


def _work(claim: Claim, keeper: LeaseKeeper, work: Work) -> _Ending:
    """Does the work and returns what has to be written. Here, at the border, an unknown error becomes a crash."""
    try:
        report = work(claim, keeper)
    except HandedBack:
        return _Ending(Outcome.HANDED_BACK, partial(_hand_back, claim=claim))
    except ParetofarmError as error:
        return _failed(claim, error)
    except Exception as error:
        return _failed(claim, WorkerCrashed(f"{type(error).__name__}: {error}"), error)
    return _Ending(Outcome.DONE, partial(leases.hand_in, claim=claim, result=report))


def _failed(claim: Claim, error: ParetofarmError, crash: Exception | None = None) -> _Ending:
    return _Ending(Outcome.FAILED, partial(_fail, claim=claim, error=error), error, crash)


def _hand_back(database: Database, *, claim: Claim) -> None:
    with database.transaction() as session:
        leases.hand_back(session, claim)


def _fail(database: Database, *, claim: Claim, error: ParetofarmError) -> None:
    with database.transaction() as session:
        leases.fail(session, claim, error)


def _settle(database: Database, settle: Settle, keeper: LeaseKeeper, meter: Meter) -> bool:
    """Writes the outcome, again and again while the database is away and the lease may still be ours."""
    while True:
        try:
            settle(database)
            return True
        except LeaseLost:
            return False
        except DatabaseUnavailable as error:
            meter.add(instruments.OUTAGES, server="database")
            log.warning("the outcome cannot be stored yet: %s", error)
            if keeper.lost.wait(SETTLE_RETRY_S):
                return False
