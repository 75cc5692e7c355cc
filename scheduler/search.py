"""One running search inside the scheduler: what its tick decides. All state is in the database; this only caches."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from db.candidates import CandidateState
from db.experiments import ExperimentStatus, StoredExperiment
from paretofarm import instruments
from paretofarm.algorithms.port import Origin, Proposal
from paretofarm.capacity import Capacity
from paretofarm.ending import shortfall
from paretofarm.errors import ConfigError
from paretofarm.fidelity import Wanted
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus, EvaluationState, advance
from paretofarm.log_context import log_fields
from paretofarm.meter import NO_METER, Meter
from paretofarm.racing import contested
from paretofarm.screening import propose_screened
from paretofarm.warm_start import Inheritance, inherit
from scheduler.foresight import Foresight
from scheduler.rungs import Rungs
from scheduler.store import DatabaseStore, SearchStore

log = logging.getLogger(__name__)

ON_AGAIN = "the algorithm's model is relied on again"


class Search:
    """Advances a search's candidates, fills free slots with promotions and proposals, and ends it.

    Candidates that have ended or wait do not change, so they are read once and kept: a tick costs what is in flight,
    not what was. Whoever rolls a tick back must throw the object away.
    """

    def __init__(self, stored: StoredExperiment, meter: Meter = NO_METER) -> None:
        self.stored = stored
        self._meter = meter
        self._plan = stored.experiment.plan()
        self._space = stored.experiment.search_space.search_space()
        fidelity = stored.experiment.fidelity
        self._rungs = Rungs(stored, fidelity) if fidelity else None
        self._settled: dict[int, Member] = {}
        self._at_work: dict[int, tuple[EvaluationState, ...]] = {}
        self._before: History | None = None
        self._inheritance: Inheritance | None = None
        self._foresight: Foresight | None = None
        self._topic: str | None = None
        self._topic_is_known = False

    def tick(self, session: Session, status: ExperimentStatus, capacity: Capacity) -> None:
        """One step of the search, in the caller's transaction. capacity: of the farm, as it is now."""
        self.plan(DatabaseStore(session, self.stored.id, capacity), status)

    def plan(self, store: SearchStore, status: ExperimentStatus) -> None:
        """The same, wherever the search is kept."""
        with log_fields(search=self.stored.name):
            self._plan_next(store, status)

    def _plan_next(self, store: SearchStore, status: ExperimentStatus) -> None:
        if self.stored.experiment.racing:
            store.give_up_repetitions()
        states = store.in_flight()
        for state in states:  # one that had ended or waited may run again
            self._settled.pop(state.number, None)
        still_open = [state for state in states if not self._advance(store, state)]
        if status is not ExperimentStatus.RUNNING:
            return
        history = self._history(store)
        begun = self._fill(store, history, still_open)
        if not still_open and not begun and not self._race(store, history):
            self._end(store, history)

    def _fill(self, store: SearchStore, history: History, still_open: Sequence[CandidateState]) -> int:
        """Gives free slots to who waits and to what is new; how many. Those who are nearly complete come first.

        Where nothing new is left to propose, the best that wait go on although their rung is not full.
        """
        if self._exhausted(store):
            return 0
        new = [state for state in still_open if state.status.in_flight]  # who is measured again is complete already
        surely = self._rungs.on_the_last(new) if self._rungs else len(new)
        wanted = self._wanted(history, self._places(store) - len(still_open), surely)
        if wanted.slots <= 0 or wanted.complete <= 0:
            return 0
        promoted = self._rungs.promote(store, history, wanted) if self._rungs else 0
        slots = min(wanted.slots - promoted, self.stored.experiment.proposal_limit - history.proposed)
        proposed = self._propose(store, history, slots) if slots > 0 else 0
        if self._rungs and not promoted and not proposed:
            return self._rungs.promote(store, history, replace(wanted, whoever=True))
        return promoted + proposed

    def _exhausted(self, store: SearchStore) -> str | None:
        """Why nothing new may begin; looked up where there is a budget only."""
        experiment = self.stored.experiment
        return experiment.exhausted(store.spent()) if experiment.stop.has_budget else None

    def _places(self, store: SearchStore) -> int:
        """Candidates that may be in flight: as the file says, or as the farm is."""
        experiment = self.stored.experiment
        if experiment.in_flight is not None:
            return experiment.in_flight
        return store.capacity.in_flight(experiment.devices)

    def _wanted(self, history: History, slots: int, surely: int) -> Wanted:
        """Never more than there are free slots, and never more complete than asked for. surely: so many will be, if all
        goes well."""
        complete = sum(member.status is CandidateStatus.COMPLETE for member in history.members)
        missing = self.stored.experiment.stop.candidates - complete - surely
        return Wanted(slots=slots if self._rungs else min(slots, missing), complete=missing)

    def _advance(self, store: SearchStore, state: CandidateState) -> bool:
        """Queues what is due; True once the candidate has come to its end, or waits."""
        if self._at_work.pop(state.number, None) == state.evaluations:
            # Most of them, at most ticks: what nobody has done anything about since needs nothing now either.
            self._at_work[state.number] = state.evaluations
            return False
        step = advance(self._plan, state.evaluations, state.metrics)
        if step.halt:
            self._halt(store, step.halt)
        if step.pause:
            store.pause(state.id)
            return True
        if step.verdict is None:
            store.queue(state.id, step.queue)
            if not step.queue and not step.halt:
                self._at_work[state.number] = state.evaluations
            return False
        store.finish(state.id, step.verdict)
        reason = f": {step.verdict.reason}" if step.verdict.reason else ""
        with log_fields(candidate_id=state.id, candidate=state.number):
            log.info("%s: candidate %s is %s%s", self.stored.name, state.number, step.verdict.status, reason)
        return True

    def _halt(self, store: SearchStore, reason: str) -> None:
        """Stops the search until the user has mended what is wrong; candidates in flight wait for `search resume`."""
        if store.stop(reason):
            log.error("%s: stopped: %s", self.stored.name, reason)

    def _history(self, store: SearchStore) -> History:
        """Everything proposed so far; only what is not known to have settled is read."""
        experiment = self.stored.experiment
        fresh = store.members(self._settled.keys())
        self._settled.update({member.number: member for member in fresh if not member.status.in_flight})
        members = [*self._settled.values(), *(member for member in fresh if member.status.in_flight)]
        inherited, foresight = self._inherited(store), self._foreseen(store)
        architectures = store.architectures({**(inherited.architectures or {}), **foresight.architectures})
        history = History(
            members,
            experiment.objectives,
            experiment.constraints,
            architectures,
            experiment.rungs,
            inherited.observed,
            foresight.borrowed,
            before=self._before,
        )
        self._before = history
        return history

    def _inherited(self, store: SearchStore) -> Inheritance:
        """From earlier searches; read once."""
        if self._inheritance is None:
            experiment = self.stored.experiment
            self._inheritance = inherit(experiment, store.earlier_searches(experiment))
        return self._inheritance

    def _foreseen(self, store: SearchStore) -> Foresight:
        """From other searches' phones; read on with every tick."""
        if self._foresight is None:
            first = -1 - len(self._inherited(store).observed)
            self._foresight = Foresight(self.stored, self._space, first=first)
        self._foresight.read(store)
        return self._foresight

    def _propose(self, store: SearchStore, history: History, slots: int) -> int:
        seeds = self._inherited(store).seeds[history.proposed :][:slots]
        if seeds:  # nothing else in the same tick: the algorithm counts its proposals by those that are stored
            return self._store(store, [Proposal(architecture, Origin.SEED) for architecture in seeds])
        started = time.monotonic()
        proposals = self._drawn(history, slots)
        self._meter.observe(instruments.PROPOSAL_SECONDS, time.monotonic() - started)
        return self._store(store, proposals)

    def _drawn(self, history: History, slots: int) -> Sequence[Proposal]:
        """By the algorithm; without those that are expected to break a limit, where they are screened."""
        experiment = self.stored.experiment
        draw = {"count": slots, "seed": experiment.seed}
        hopeless = self._foresight.hopeless(history) if self._foresight else None
        if hopeless is None:
            return experiment.algorithm.propose(history, self._space, **draw)
        found = propose_screened(experiment.algorithm, history, self._space, hopeless=hopeless, **draw)
        if found.passed_over:
            self._meter.add(instruments.SCREENED, found.passed_over, search=self.stored.name)
            log.info("%s: %s architectures are too slow for sure, and not proposed", experiment.name, found.passed_over)
        return found.proposals

    def _store(self, store: SearchStore, proposals: Sequence[Proposal]) -> int:
        if proposals:
            self._note(store, proposals[0].remark)
        proposed = store.propose(proposals)
        self._meter.add(instruments.PROPOSALS, proposed, search=self.stored.name)
        return proposed

    def _note(self, store: SearchStore, remark: str | None) -> None:
        """An event for what the algorithm has to say, when it begins to say so and when it stops."""
        if not self._topic_is_known:
            self._topic, self._topic_is_known = _topic(store.last_remark()), True
        topic = _topic(remark)
        if topic == self._topic:
            return
        self._topic = topic
        store.remark(remark or ON_AGAIN)
        log.warning("%s: %s", self.stored.name, remark or ON_AGAIN)

    def _race(self, store: SearchStore, history: History) -> int:
        """Measures contested members of the front again; how many. The search is not over until there are none."""
        racing = self.stored.experiment.racing
        if racing is None or self._exhausted(store):
            return 0
        begun = store.measure_again(contested(history, racing, store.repeated()))
        if begun:
            log.info("%s: %s measurements are made again: who dominates whom is in doubt", self.stored.name, begun)
        return begun

    def _end(self, store: SearchStore, history: History) -> None:
        members = history.members
        stop = self.stored.experiment.stop
        constraints = self.stored.experiment.constraints
        limit = self.stored.experiment.proposal_limit
        reason = shortfall(members, constraints, wanted=stop.candidates, limit=limit, used_up=self._exhausted(store))
        store.end(reason)
        if reason:
            log.warning("%s: %s", self.stored.name, reason)
        complete = sum(member.status is CandidateStatus.COMPLETE for member in members)
        log.info("%s: finished with %s complete of %s candidates", self.stored.name, complete, len(members))
        self._begin_final(store, history)

    def _begin_final(self, store: SearchStore, history: History) -> None:
        final = self.stored.experiment.final
        if final is None:
            return
        try:
            store.begin_final(history, final)
        except ConfigError as error:
            store.remark(error.message)
            log.warning("%s: %s", self.stored.name, error.message)


def _topic(remark: str | None) -> str | None:
    """What a remark is about, without its figures; None where there is nothing to say, or not any more."""
    return remark.partition(" (")[0] if remark and remark != ON_AGAIN else None
