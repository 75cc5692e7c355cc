"""Candidates of a search as the scheduler plans with them: propose, look, queue the next steps, finish."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, repeat
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, cast, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db import events
from db.events import EventKind
from db.tables import NOW, CandidateRow, EvaluationRow, ExperimentRow
from paretofarm.algorithms.port import Proposal
from paretofarm.architecture import Architecture
from paretofarm.fidelity import Promotion
from paretofarm.history import Member
from paretofarm.lifecycle import CandidateStatus, EvaluationState, EvaluationStatus, Stage, Step, Verdict

UNFINISHED = [status for status in CandidateStatus if not status.is_final]
IN_FLIGHT = [status for status in CandidateStatus if status.in_flight]
OPEN = [status for status in EvaluationStatus if status.is_open]

_PART = 200
"""Rows that are made into members at a time. Of thousands that are alive at once the garbage collector, which looks
through all of them again and again, would take more time than everything else."""


def at_work() -> ColumnElement[bool]:
    """Whether something is to be done about a candidate: it is in flight, or complete and being measured again."""
    return or_(CandidateRow.status.in_(IN_FLIGHT), CandidateRow.contested_at.is_not(None))


def changeable() -> ColumnElement[bool]:
    """Whether a candidate's end may still come out in one way or another."""
    return or_(CandidateRow.status.in_(UNFINISHED), CandidateRow.contested_at.is_not(None))


@dataclass(frozen=True)
class CandidateState:
    """A candidate at work, as much as the state machine needs. number: from 0 within its search."""

    id: int
    number: int
    status: CandidateStatus
    evaluations: tuple[EvaluationState, ...]
    metrics: Mapping[str, float]


def propose(session: Session, experiment_id: int, proposals: Sequence[Proposal]) -> list[int]:
    """Inserts candidates, numbered on from the last one, each with a queued build; returns their ids.

    An architecture that the search has had already is left out: none is ever evaluated twice.
    """
    session.execute(select(ExperimentRow.id).where(ExperimentRow.id == experiment_id).with_for_update(key_share=True))
    fresh = list(_unseen(session, experiment_id, proposals))
    if not fresh:
        return []
    last = session.scalar(select(func.max(CandidateRow.number)).where(CandidateRow.experiment_id == experiment_id))
    first = 0 if last is None else last + 1
    rows = [_row(experiment_id, number, proposal) for number, proposal in enumerate(fresh, first)]
    statement = insert(CandidateRow).on_conflict_do_nothing(index_elements=["experiment_id", "digest"])
    ids = list(session.scalars(statement.returning(CandidateRow.id), rows))
    proposed = [{"experiment_id": experiment_id, "candidate_id": candidate_id} for candidate_id in ids]
    events.record_all(session, EventKind.CANDIDATE_PROPOSED, proposed)
    _queue(session, experiment_id, [(candidate_id, Step(Stage.BUILD)) for candidate_id in ids])
    return ids


def in_flight(session: Session, experiment_id: int) -> list[CandidateState]:
    """Candidates that something is to be done about, by number, with the state of all their evaluations: those in
    flight, and complete ones that are being measured again.

    One statement, so that both are of one moment: an evaluation that is done always comes with its metrics.
    """
    query = (
        select(CandidateRow.id, CandidateRow.number, CandidateRow.status, CandidateRow.metrics)
        .add_columns(EvaluationRow.stage, EvaluationRow.device, EvaluationRow.rung)
        .add_columns(EvaluationRow.status.label("state"), EvaluationRow.reason, EvaluationRow.code)
        .outerjoin(EvaluationRow, EvaluationRow.candidate_id == CandidateRow.id)
        .where(CandidateRow.experiment_id == experiment_id, at_work())
        .order_by(CandidateRow.number, EvaluationRow.id)
    )
    rows = groupby(session.execute(query), key=attrgetter("id"))
    return [_state(list(of_candidate)) for _, of_candidate in rows]


def members(session: Session, experiment_id: int, *, known: Collection[int] = ()) -> list[Member]:
    """The search's candidates as algorithms see them, by number, but for those whose numbers are known."""
    numbers = set(known)
    highest = max(numbers, default=-1)
    gaps = [] if len(numbers) > highest else [number for number in range(highest) if number not in numbers]
    wanted = or_(CandidateRow.number > highest, CandidateRow.number.in_(gaps))
    query = (
        select(CandidateRow.number, CandidateRow.digest, CandidateRow.status, CandidateRow.rung)
        .add_columns(cast(CandidateRow.metrics, Text), cast(CandidateRow.intervals, Text))
        .where(CandidateRow.experiment_id == experiment_id, wanted)
        .order_by(CandidateRow.number)
    )
    # Without what a session does for entities, JSON of many rows at once: a new scheduler reads a hundred thousand.
    parts = session.connection().execute(query).partitions(_PART)
    return [member for rows in parts for member in _members(rows)]


def _members(rows: Sequence[Row[Any]]) -> Iterator[Member]:
    numbers, digests, statuses, rungs, metrics, intervals = zip(*rows, strict=True)
    columns = (numbers, digests, statuses, _objects(metrics), rungs, repeat(None), _objects(intervals))
    return map(Member, *columns)


def _objects(documents: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(f"[{','.join(documents)}]")
    return found


class Architectures(Mapping[int, Architecture]):
    """Architectures of a search by candidate number, each read when it is asked for; valid as long as the session.

    inherited: those of earlier searches, by numbers below 0.
    """

    def __init__(
        self, session: Session, experiment_id: int, inherited: Mapping[int, Architecture] | None = None
    ) -> None:
        self._inherited = inherited or {}
        self._session = session
        self._experiment_id = experiment_id
        self._read: dict[int, Architecture] = {}

    def prefetch(self, numbers: Sequence[int]) -> None:
        """Reads them in one statement, those that exist and were not read yet."""
        wanted = [number for number in numbers if number >= 0 and number not in self._read]
        if not wanted:
            return
        query = select(CandidateRow.number, CandidateRow.architecture).where(
            CandidateRow.experiment_id == self._experiment_id, CandidateRow.number.in_(wanted)
        )
        for number, document in self._session.execute(query).tuples():
            self._read[number] = Architecture.from_dict(document)

    def __getitem__(self, number: int) -> Architecture:
        if number < 0:
            return self._inherited[number]
        self.prefetch([number])
        return self._read[number]

    def __iter__(self) -> Iterator[int]:
        query = select(CandidateRow.number).where(CandidateRow.experiment_id == self._experiment_id)
        return iter(self._session.scalars(query.order_by(CandidateRow.number)).all())

    def __len__(self) -> int:
        query = select(func.count()).select_from(CandidateRow).where(CandidateRow.experiment_id == self._experiment_id)
        return self._session.scalar(query) or 0


def queue(session: Session, candidate_id: int, steps: Sequence[Step]) -> None:
    """Queues evaluations of an unfinished candidate; those it has already, in whatever state, are left alone."""
    query = select(CandidateRow.experiment_id).where(CandidateRow.id == candidate_id, changeable())
    experiment_id = session.scalar(query) if steps else None
    if experiment_id is not None:
        _queue(session, experiment_id, [(candidate_id, step) for step in steps])


def pause(session: Session, candidate_id: int) -> None:
    """A candidate in flight waits for being promoted; its work so far is done."""
    statement = update(CandidateRow).where(CandidateRow.id == candidate_id, CandidateRow.status.in_(IN_FLIGHT))
    statement = statement.values(status=CandidateStatus.PAUSED)
    experiment_id = session.scalar(statement.returning(CandidateRow.experiment_id))
    if experiment_id is not None:
        events.record(session, EventKind.CANDIDATE_PAUSED, experiment_id=experiment_id, candidate_id=candidate_id)


def promote(session: Session, experiment_id: int, promotion: Promotion) -> bool:
    """A waiting candidate runs on: its training to the rung is queued with it. False where it does not wait."""
    mine = (CandidateRow.experiment_id == experiment_id, CandidateRow.number == promotion.number)
    statement = update(CandidateRow).where(*mine, CandidateRow.status == CandidateStatus.PAUSED)
    statement = statement.values(status=CandidateStatus.RUNNING, reason=None)
    candidate_id = session.scalar(statement.returning(CandidateRow.id))
    if candidate_id is None:
        return False
    events.record(
        session,
        EventKind.CANDIDATE_PROMOTED,
        experiment_id=experiment_id,
        candidate_id=candidate_id,
        details={"rung": promotion.rung},
    )
    _queue(session, experiment_id, [(candidate_id, Step(Stage.TRAIN, rung=promotion.rung))])
    return True


def finish(session: Session, candidate_id: int, verdict: Verdict) -> bool:
    """Ends a candidate and cancels its open evaluations. False where it had ended already: the first verdict stands.

    One that was measured again ended when it first did.

    Evaluations are locked before the candidate, as everywhere: a report in progress is waited for, not deadlocked with.
    """
    cancel = update(EvaluationRow).where(EvaluationRow.candidate_id == candidate_id, EvaluationRow.status.in_(OPEN))
    released = {"token": None, "lease_expires_at": None, "finished_at": NOW}
    session.execute(cancel.values(status=EvaluationStatus.CANCELLED, **released))
    end = update(CandidateRow).where(CandidateRow.id == candidate_id, changeable())
    first = func.coalesce(CandidateRow.finished_at, NOW)
    end = end.values(status=verdict.status, reason=verdict.reason, finished_at=first, contested_at=None)
    experiment_id = session.scalar(end.returning(CandidateRow.experiment_id))
    if experiment_id is None:
        return False
    events.record(
        session,
        EventKind.CANDIDATE_FINISHED,
        experiment_id=experiment_id,
        candidate_id=candidate_id,
        details={"status": verdict.status.value, "reason": verdict.reason},
    )
    return True


def counts(session: Session, experiment_id: int) -> dict[CandidateStatus, int]:
    """How many candidates are in each status, all statuses named."""
    query = select(CandidateRow.status, func.count()).where(CandidateRow.experiment_id == experiment_id)
    found = dict(session.execute(query.group_by(CandidateRow.status)).tuples().all())
    return {status: found.get(status, 0) for status in CandidateStatus}


def _unseen(session: Session, experiment_id: int, proposals: Sequence[Proposal]) -> Iterator[Proposal]:
    digests = [proposal.architecture.digest for proposal in proposals]
    query = select(CandidateRow.digest).where(
        CandidateRow.experiment_id == experiment_id, CandidateRow.digest.in_(digests)
    )
    seen = set(session.scalars(query))
    for proposal, digest in zip(proposals, digests, strict=True):
        if digest not in seen:
            seen.add(digest)
            yield proposal


def _row(experiment_id: int, number: int, proposal: Proposal) -> dict[str, object]:
    return {
        "experiment_id": experiment_id,
        "number": number,
        "digest": proposal.architecture.digest,
        "architecture": proposal.architecture.to_dict(),
        "origin": proposal.origin.value,
        "parents": [number for number in proposal.parents if number >= 0],
    }


def _queue(session: Session, experiment_id: int, steps: Sequence[tuple[int, Step]]) -> None:
    rows = [
        {"candidate_id": owner, "stage": step.stage, "device": step.device, "rung": step.rung, "queue": step.queue}
        for owner, step in steps
    ]
    statement = insert(EvaluationRow).on_conflict_do_nothing(index_elements=["candidate_id", "stage", "device", "rung"])
    queued = session.execute(statement.returning(EvaluationRow.id, EvaluationRow.candidate_id), rows)
    happened = [
        {"experiment_id": experiment_id, "candidate_id": candidate_id, "evaluation_id": evaluation_id}
        for evaluation_id, candidate_id in queued.tuples().all()
    ]
    events.record_all(session, EventKind.EVALUATION_QUEUED, happened)


def _state(rows: Sequence[Row[Any]]) -> CandidateState:
    """From the rows of one candidate, each with one of its evaluations, or none at all."""
    first = rows[0]
    evaluations = tuple(
        EvaluationState(Step(row.stage, row.device, row.rung), row.state, row.reason, row.code)
        for row in rows
        if row.stage is not None
    )
    return CandidateState(first.id, first.number, first.status, evaluations, first.metrics)
