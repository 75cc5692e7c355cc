"""Which messages the scheduler has to send: queued evaluations that nobody has been told about, or not lately."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Subquery, and_, case, func, or_, select, update
from sqlalchemy.orm import Session

from db.tables import NOW, EvaluationRow
from paretofarm.dispatching import URGENCY
from paretofarm.lifecycle import EvaluationStatus, Stage

CHEAP_FIRST = case(URGENCY, value=EvaluationRow.stage)


@dataclass(frozen=True)
class Message:
    """What to send: `[evaluation_id, attempt]` as a task named after the stage, on that queue."""

    evaluation_id: int
    attempt: int
    stage: Stage
    queue: str


def due(session: Session, *, limit: int, resend_s: float, drained: Collection[str] | None = None) -> list[Message]:
    """Messages to send once the transaction has committed; they are stamped as sent. Cheap gates first, then oldest.

    limit: messages per queue that may be under way, sent but not claimed, at a time. resend_s: a message not claimed
    for so long is taken for lost. drained: queues in which no message waits; in any other a message may just be
    waiting its turn, so nothing is sent again (None: all are drained). Two callers never get the same message.
    """
    chosen = _within_window(limit, resend_s, drained)
    locked = (
        select(EvaluationRow.id)
        .where(EvaluationRow.id.in_(select(chosen.c.id)), _ready(resend_s, drained))
        .with_for_update(skip_locked=True)
    )
    ids = list(session.scalars(locked))
    if not ids:
        return []
    stamp = update(EvaluationRow).where(EvaluationRow.id.in_(ids)).values(dispatched_at=NOW)
    session.execute(stamp, execution_options={"synchronize_session": False})
    query = select(EvaluationRow.id, EvaluationRow.attempt, EvaluationRow.stage, EvaluationRow.queue)
    query = query.where(EvaluationRow.id.in_(ids)).order_by(CHEAP_FIRST, EvaluationRow.id)
    return [Message(*row) for row in session.execute(query).tuples()]


def overdue_queues(session: Session, *, resend_s: float) -> list[str]:
    """Queues with messages that were sent `resend_s` ago and not claimed: worth asking the broker about."""
    query = select(EvaluationRow.queue).distinct().where(_queued(), _overdue(resend_s))
    return list(session.scalars(query.order_by(EvaluationRow.queue)))


def unsent(session: Session, messages: Sequence[Message]) -> None:
    """Takes the stamp back from messages that the broker did not take, so that they are due again at once."""
    ids = [message.evaluation_id for message in messages]
    query = update(EvaluationRow).where(EvaluationRow.id.in_(ids), _queued())
    session.execute(query.values(dispatched_at=None), execution_options={"synchronize_session": False})


def _queued() -> ColumnElement[bool]:
    return EvaluationRow.status == EvaluationStatus.QUEUED


def _overdue(resend_s: float) -> ColumnElement[bool]:
    return EvaluationRow.dispatched_at < NOW - timedelta(seconds=resend_s)


def _ready(resend_s: float, drained: Collection[str] | None) -> ColumnElement[bool]:
    lost = _overdue(resend_s)
    if drained is not None:
        lost = and_(lost, EvaluationRow.queue.in_(drained))
    return and_(_queued(), EvaluationRow.not_before <= NOW, or_(EvaluationRow.dispatched_at.is_(None), lost))


def _within_window(limit: int, resend_s: float, drained: Collection[str] | None) -> Subquery:
    """The oldest of each queue that fit into its window beside those under way."""
    ready = _ready(resend_s, drained)
    order = func.row_number().over(partition_by=EvaluationRow.queue, order_by=(~ready, EvaluationRow.id))
    under_way = (
        func.count().filter(EvaluationRow.dispatched_at.is_not(None), ~ready).over(partition_by=EvaluationRow.queue)
    )
    ranked = (
        select(EvaluationRow.id, ready.label("ready"), order.label("place"), under_way.label("under_way"))
        .where(_queued())
        .subquery()
    )
    return select(ranked.c.id).where(ranked.c.ready, ranked.c.place + ranked.c.under_way <= limit).subquery()
