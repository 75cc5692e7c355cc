"""Leases: how workers and agents own an evaluation for a while, and how what came of it gets into the database.

A claim is one atomic UPDATE that sets a token and an expiry by the database's clock. Everything afterwards names the
token; zero rows updated mean that somebody else owns the evaluation by now: LeaseLost, write nothing, drop the result.
Rows are locked in one order, evaluation before candidate.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Row, Select, Update, and_, func, select, update
from sqlalchemy.orm import Session

from db import events
from db.artifact import CandidateArtifact, StoredArtifact
from db.claim import Claim
from db.events import EventKind
from db.experiments import read_config
from db.lease_statements import ATTACH, CLAIM, REPORT
from db.notify import notify
from db.outcome import store_epochs, store_measurement
from db.plain_json import dumps
from db.racing import pool_measurements
from db.report import EpochMetrics, MeasurementRecord, Report
from db.session import Database
from db.tables import NOW, CandidateRow, EvaluationRow
from paretofarm.architecture import Architecture
from paretofarm.errors import LeaseExpired, LeaseLost, ParetofarmError
from paretofarm.lifecycle import Drop, EvaluationStatus, Fail, Retry, Stage, Step, decide
from paretofarm.metrics import rung_key

__all__ = [
    "Claim",
    "EpochMetrics",
    "MeasurementRecord",
    "Report",
    "attach",
    "claim",
    "extend",
    "fail",
    "hand_back",
    "hand_in",
    "record_epoch",
    "report",
    "requeue_expired",
]

Subject = tuple[int, int, int, str | None, int, int]
UNLEASED: dict[str, Any] = {"token": None, "lease_expires_at": None}
QUEUED_AGAIN: dict[str, Any] = {
    **UNLEASED,
    "status": EvaluationStatus.QUEUED,
    "attempt": EvaluationRow.attempt + 1,
    "progress": None,
    "dispatched_at": None,
}


def claim(
    place: Session | Connection,
    evaluation_id: int,
    attempt: int,
    *,
    owner: str,
    lease_s: float,
    device: str | None = None,
) -> Claim | None:
    """Takes an evaluation for `lease_s` seconds. None: it is not to be had (a stale or doubled message).

    device: where given, only an evaluation for that device class is taken. A candidate's first claim starts it. The
    transaction does not wait for the disk, so give it one of its own (`Database.statement`): a claim that a power cut
    undoes is as good as expired, and a report that is durable makes the claim before it durable too.
    """
    token = uuid4()
    parameters = {"evaluation_id": evaluation_id, "attempt": attempt, "device": device}
    lease = {"token": str(token), "owner": owner, "lease_s": lease_s}
    row = CLAIM.execute(place, {**parameters, **lease}).one_or_none()
    return None if row is None else _claim(row, evaluation_id, attempt, token, owner)


def extend(session: Session, claim: Claim, lease_s: float, progress: float | None = None) -> None:
    """Keeps the lease for `lease_s` seconds from now. An expired one too, as long as nobody has requeued it.

    progress: share of the work that is done, 0 to 1. LeaseLost where somebody else owns the evaluation.
    """
    values = {
        "lease_expires_at": NOW + timedelta(seconds=lease_s),
        "progress": func.coalesce(progress, EvaluationRow.progress),
    }
    statement = update(EvaluationRow).where(_held(claim)).values(values).returning(EvaluationRow.id)
    _require(session.scalar(statement), claim)


def report(session: Session, claim: Claim, result: Report) -> None:
    """Ends an evaluation with its result, side rows and all, in the caller's one transaction; or LeaseLost."""
    _end(session, claim, result)
    store_epochs(session, claim, result.epochs)
    if result.measurement:
        store_measurement(session, claim, result.measurement)
        pool_measurements(session, claim)


def hand_in(database: Database, claim: Claim, result: Report) -> None:
    """Reports in a transaction of its own, which is a single statement where nothing has been measured."""
    if result.epochs or result.measurement:
        with database.transaction() as session:
            report(session, claim, result)
    else:
        with database.statement() as connection:
            _end(connection, claim, result)


def record_epoch(session: Session, claim: Claim, epoch: EpochMetrics) -> None:
    """Writes one epoch while the training goes on; LeaseLost where the evaluation is somebody else's."""
    _lock(session, claim)
    store_epochs(session, claim, [epoch])


def attach(session: Session, claim: Claim, artifacts: Sequence[StoredArtifact]) -> None:
    """Records artifacts while the work goes on, such as checkpoints that the next attempt can resume from."""
    parameters = {"evaluation_id": claim.evaluation_id, "token": str(claim.token), "artifacts": _rows(artifacts)}
    _require(ATTACH.execute(session, parameters).scalar(), claim)


def fail(session: Session, claim: Claim, error: ParetofarmError) -> None:
    """Ends an attempt with an error: queued again or failed for good, as `lifecycle.decide` says; or LeaseLost."""
    _settle(session, _lock(session, claim), error)


def hand_back(session: Session, claim: Claim) -> None:
    """Queues the evaluation again without blaming it: `attempt` rises, so that old messages stay stale, `failures`
    does not. For a worker that shuts down. LeaseLost where it is somebody else's."""
    row = _lock(session, claim)
    session.execute(_change(row.id).values({**QUEUED_AGAIN, "not_before": NOW}))
    _note(session, EventKind.EVALUATION_HANDED_BACK, row)


def requeue_expired(session: Session, *, limit: int = 1000) -> int:
    """Takes back leases that have expired, as failures of class LeaseExpired; returns how many."""
    expired = and_(EvaluationRow.status == EvaluationStatus.LEASED, EvaluationRow.lease_expires_at < NOW)
    query = _subject().where(expired).order_by(EvaluationRow.lease_expires_at).limit(limit)
    rows = session.execute(query.with_for_update(of=EvaluationRow, skip_locked=True)).all()
    for row in rows:
        _settle(session, row, LeaseExpired(f"no sign of life from {row.owner} until the lease expired"))
    return len(rows)


def _end(place: Session | Connection, claim: Claim, result: Report) -> None:
    device = claim.step.device
    parameters = {
        "evaluation_id": claim.evaluation_id,
        "token": str(claim.token),
        "metrics": dumps({**result.keyed_metrics(device), **_as_of_rung(claim, result)}),
        "intervals": dumps(result.keyed_intervals(device)),
        "simulated": bool(result.simulated),
        "details": dumps(dict(result.details)),
        "artifacts": _rows(result.artifacts),
    }
    _require(REPORT.execute(place, parameters).scalar(), claim)
    notify(place)


def _as_of_rung(claim: Claim, result: Report) -> dict[str, float]:
    """What a training reports, under keys that a later rung does not overwrite; none where there is one rung only."""
    rungs = claim.experiment.rungs
    if claim.step.stage is not Stage.TRAIN or claim.step.rung is None or len(rungs) < 2:
        return {}
    return {rung_key(name, rungs[claim.step.rung]): value for name, value in result.metrics.items()}


def _settle(session: Session, row: Row[Subject], error: ParetofarmError) -> None:
    decision = decide(error, row.failures + 1)
    match decision:
        case Drop():
            return
        case Retry(delay_s):
            kind, reason = EventKind.EVALUATION_REQUEUED, error.message
            values = {**QUEUED_AGAIN, "not_before": NOW + timedelta(seconds=delay_s)}
        case Fail(reason):
            kind = EventKind.EVALUATION_FAILED
            values = {**UNLEASED, "status": EvaluationStatus.FAILED, "finished_at": NOW}
    values |= {"failures": EvaluationRow.failures + 1, "code": error.code, "reason": reason}
    session.execute(_change(row.id).values(values))
    _note(session, kind, row, code=error.code, reason=reason)


def _subject() -> Select[Subject]:
    """An evaluation with what its events need."""
    columns = (EvaluationRow.id, EvaluationRow.attempt, EvaluationRow.failures, EvaluationRow.owner)
    query = select(*columns, CandidateRow.id.label("candidate_id"), CandidateRow.experiment_id)
    return query.join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)


def _lock(session: Session, claim: Claim) -> Row[Subject]:
    """The evaluation, locked until the transaction ends: nobody can requeue it meanwhile."""
    row = session.execute(_subject().where(_held(claim)).with_for_update(of=EvaluationRow)).one_or_none()
    _require(row, claim)
    assert row is not None
    return row


def _held(claim: Claim) -> ColumnElement[bool]:
    mine = and_(EvaluationRow.id == claim.evaluation_id, EvaluationRow.token == claim.token)
    return and_(mine, EvaluationRow.status == EvaluationStatus.LEASED)


def _require(found: object, claim: Claim) -> None:
    if found is None:
        raise LeaseLost(f"evaluation {claim.evaluation_id} (attempt {claim.attempt}) is no longer {claim.owner}'s")


def _change(evaluation_id: int) -> Update:
    return update(EvaluationRow).where(EvaluationRow.id == evaluation_id)


def _note(session: Session, kind: EventKind, row: Row[Subject], **details: str) -> None:
    events.record(
        session,
        kind,
        experiment_id=row.experiment_id,
        candidate_id=row.candidate_id,
        evaluation_id=row.id,
        details={"owner": row.owner, "attempt": row.attempt, **details},
    )


def _claim(row: Row[Any], evaluation_id: int, attempt: int, token: UUID, owner: str) -> Claim:
    return Claim(
        evaluation_id=evaluation_id,
        attempt=attempt,
        failures=row.failures,
        token=token,
        owner=owner,
        step=Step(Stage(row.stage), row.device, row.rung),
        candidate_id=row.candidate_id,
        number=row.number,
        experiment_id=row.experiment_id,
        experiment_name=row.experiment_name,
        experiment=read_config(row.experiment_name, row.config),
        architecture=Architecture.from_dict(row.architecture),
        metrics=row.metrics,
        artifacts=_newest(CandidateArtifact(**document) for document in row.artifacts or ()),
    )


def _rows(artifacts: Sequence[StoredArtifact]) -> str:
    return dumps([asdict(artifact) for artifact in artifacts])


def _newest(artifacts: Iterable[CandidateArtifact]) -> tuple[CandidateArtifact, ...]:
    """The first of each kind and device class; they come newest first."""
    chosen: dict[tuple[str, str | None], CandidateArtifact] = {}
    for artifact in artifacts:
        chosen.setdefault((artifact.kind, artifact.device), artifact)
    return tuple(chosen.values())
