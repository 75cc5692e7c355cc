"""Stands around the work on a phone: nothing of an earlier job survives its beginning, and what fails is blamed on
whoever's fault it is."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from db.claim import Claim
from db.events import EventKind
from db.phone_work import WorkKind
from db.report import Report
from db.work import HandedBack, LeaseKeeper, Work
from device_agents.health import PhoneHealth
from paretofarm.blame import Party, Scene, decide, is_about_the_device, may_be_either, may_hand_back
from paretofarm.dsp_signs import DspSign, dsp_sign, log_tail
from paretofarm.errors import (
    CandidateError,
    LeaseLost,
    NoisyMeasurement,
    NotDeployable,
    ParetofarmError,
    PhoneOffline,
    RunnerFailed,
    Unavailable,
)

log = logging.getLogger(__name__)

REASON_LENGTH = 2000
REMEMBERED = 256


@dataclass
class Guard:
    """Of one phone. stopping: set when the agent is told to stop.

    `unclear` counts, by evaluation, the failures of late that could be anybody's.
    """

    health: PhoneHealth
    stopping: threading.Event
    clock: Callable[[], float] = time.monotonic
    unclear: dict[int, int] = field(default_factory=dict)

    def guarded(self, work: Work, kind: WorkKind) -> Work:
        """The same work, guarded; the work of `db.work.perform`."""

        def perform(claim: Claim, keeper: LeaseKeeper) -> Report:
            started, outcome = self.clock(), "failed"
            keeper.on_lost = self.health.phone.link.interrupt
            self.health.reference.settings = claim.experiment.measurement
            try:
                report = self._do(work, claim, keeper)
                outcome = "done"
                return report
            except (HandedBack, LeaseLost) as end:
                outcome = "lost" if isinstance(end, LeaseLost) else "handed_back"
                raise
            finally:
                self.health.records.ledger.note(kind, outcome, started=started, evaluation_id=claim.evaluation_id)
                self.health.worked(self.clock() - started)

        return perform

    def _do(self, work: Work, claim: Claim, keeper: LeaseKeeper) -> Report:
        since = ""
        try:
            self.health.phone.sweep()
            since = self.health.phone.clock()
            return work(claim, keeper)
        except LeaseLost:
            raise
        except NoisyMeasurement:
            self.health.doubt()
            raise
        except ParetofarmError as error:
            if self.stopping.is_set():
                raise HandedBack from error
            if keeper.lost.is_set():
                raise LeaseLost from error
            if not is_about_the_device(error):
                raise
            raise self._verdict(claim, error, since) from error

    def _verdict(self, claim: Claim, error: ParetofarmError, since: str) -> Exception:
        """What the work ends with, once it is known whose fault it was."""
        cut = error if isinstance(error, PhoneOffline) and not isinstance(error, RunnerFailed) else None
        fit = self.health.is_fit_after(cut)
        logged = self._log_since(since) if self.health.answers else ""
        sign = dsp_sign(f"{error}\n{logged}")
        runs = self._reference_runs(error, sign) if fit and may_be_either(error) else None
        if self.stopping.is_set():
            return HandedBack()
        fit = fit and self.health.health.fault is None
        scene = Scene(error, fit, runs, sign, self.unclear.get(claim.evaluation_id, 0))
        party = decide(scene)
        self._record(claim, scene, party, logged)
        return self._ending(claim, error, party)

    def _reference_runs(self, error: ParetofarmError, sign: DspSign | None) -> bool | None:
        if sign is DspSign.SUBSYSTEM:  # it restarts by itself, within seconds
            self.stopping.wait(self.health.rules.retry_s)
        return self.health.runs_the_reference(f"{error.code}: {error}"[:REASON_LENGTH])

    def _ending(self, claim: Claim, error: ParetofarmError, party: Party) -> Exception:
        match party:
            case Party.CANDIDATE if isinstance(error, CandidateError):
                return error
            case Party.CANDIDATE:
                return NotDeployable(f"{error} (repeatedly, while the reference network runs)")
            case Party.PHONE if may_hand_back(attempt=claim.attempt, failures=claim.failures):
                return HandedBack()
            case Party.UNCLEAR:
                self._count_unclear(claim.evaluation_id)
        return error if isinstance(error, Unavailable) else RunnerFailed(str(error))

    def _count_unclear(self, evaluation_id: int) -> None:
        self.unclear[evaluation_id] = self.unclear.pop(evaluation_id, 0) + 1
        while len(self.unclear) > REMEMBERED:
            del self.unclear[next(iter(self.unclear))]

    def _log_since(self, since: str) -> str:
        """What Android's log has about the DSP since the work began, bounded."""
        if not since:
            return ""
        try:
            return log_tail(self.health.phone.log_since(since))
        except Unavailable as error:
            log.debug("the phone's log cannot be read: %s", error)
            return ""

    def _record(self, claim: Claim, scene: Scene, party: Party, logged: str) -> None:
        reason = str(scene.error)[-REASON_LENGTH:]
        log.warning("blamed on the %s: %s: %s", party.value, scene.error.code, reason)
        self.health.metrics.note_blame(party)
        details = {
            "blamed": party.value,
            "code": scene.error.code,
            "reason": reason,
            "fit": scene.fit,
            "reference_runs": scene.reference_runs,
            "dsp": scene.sign,
            "log": logged,
        }
        self.health.records.event(EventKind.MEASUREMENT_FAILED, details, claim)
