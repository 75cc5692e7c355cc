"""One running search inside the scheduler: what its tick decides. All state is in the database; this only caches."""

import logging
import time
from collections.abc import Sequence

from sqlalchemy.orm import Session

from db import candidates, experiments
from db.candidates import Architectures, CandidateState
from db.experiments import ExperimentStatus, StoredExperiment
from paretofarm import instruments
from paretofarm.ending import shortfall
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus, advance
from paretofarm.log_context import log_fields
from paretofarm.meter import NO_METER, Meter

log = logging.getLogger(__name__)


class Search:
    """Advances a search's candidates, fills free slots with proposals, and ends it.

    Ended candidates never change, so they are read once and kept: a tick costs what is in flight, not what was. Whoever
    rolls a tick back must throw the object away.
    """

    def __init__(self, stored: StoredExperiment, meter: Meter = NO_METER) -> None:
        self.stored = stored
        self._meter = meter
        self._plan = stored.experiment.plan()
        self._space = stored.experiment.search_space.search_space()
        self._ended: dict[int, Member] = {}

    def tick(self, session: Session, status: ExperimentStatus) -> None:
        """One step of the search, in the caller's transaction."""
        with log_fields(search=self.stored.name):
            self._tick(session, status)

    def _tick(self, session: Session, status: ExperimentStatus) -> None:
        states = candidates.unfinished(session, self.stored.id)
        for state in states:  # one that had ended may run again
            self._ended.pop(state.number, None)
        still_open = [state for state in states if not self._advance(session, state)]
        if status is not ExperimentStatus.RUNNING:
            return
        members = self._members(session)
        slots = self._free_slots(members)
        proposed = self._propose(session, members, slots) if slots > 0 else 0
        if not still_open and not proposed:
            self._end(session, members)

    def _advance(self, session: Session, state: CandidateState) -> bool:
        """Queues what is due; True once the candidate has come to its end."""
        step = advance(self._plan, state.evaluations, state.metrics)
        if step.halt:
            self._halt(session, step.halt)
        if step.verdict is None:
            candidates.queue(session, state.id, step.queue)
            return False
        candidates.finish(session, state.id, step.verdict)
        reason = f": {step.verdict.reason}" if step.verdict.reason else ""
        with log_fields(candidate_id=state.id, candidate=state.number):
            log.info("%s: candidate %s is %s%s", self.stored.name, state.number, step.verdict.status, reason)
        return True

    def _halt(self, session: Session, reason: str) -> None:
        """Stops the search until the user has mended what is wrong; candidates in flight wait for `search resume`."""
        if experiments.stop(session, self.stored.id, reason=reason):
            log.error("%s: stopped: %s", self.stored.name, reason)

    def _members(self, session: Session) -> Sequence[Member]:
        """Everything proposed so far; only what is not known to have ended is read."""
        fresh = candidates.members(session, self.stored.id, known=self._ended.keys())
        self._ended.update({member.number: member for member in fresh if member.status.is_final})
        return [*self._ended.values(), *(member for member in fresh if not member.status.is_final)]

    def _free_slots(self, members: Sequence[Member]) -> int:
        """Never more in flight than asked for, and never more than can still be needed."""
        stop = self.stored.experiment.stop
        complete = sum(member.status is CandidateStatus.COMPLETE for member in members)
        in_flight = sum(not member.status.is_final for member in members)
        return min(
            self.stored.experiment.in_flight - in_flight,
            stop.candidates - complete - in_flight,
            stop.proposal_limit - len(members),
        )

    def _propose(self, session: Session, members: Sequence[Member], slots: int) -> int:
        experiment = self.stored.experiment
        architectures = Architectures(session, self.stored.id)
        history = History(members, experiment.objectives, experiment.constraints, architectures)
        started = time.monotonic()
        proposals = experiment.algorithm.propose(history, self._space, count=slots, seed=experiment.seed)
        self._meter.observe(instruments.PROPOSAL_SECONDS, time.monotonic() - started)
        proposed = len(candidates.propose(session, self.stored.id, proposals))
        self._meter.add(instruments.PROPOSALS, proposed, search=self.stored.name)
        return proposed

    def _end(self, session: Session, members: Sequence[Member]) -> None:
        stop = self.stored.experiment.stop
        constraints = self.stored.experiment.constraints
        reason = shortfall(members, constraints, wanted=stop.candidates, limit=stop.proposal_limit)
        experiments.finish(session, self.stored.id, reason=reason)
        if reason:
            log.warning("%s: %s", self.stored.name, reason)
        complete = sum(member.status is CandidateStatus.COMPLETE for member in members)
        log.info("%s: finished with %s complete of %s candidates", self.stored.name, complete, len(members))
