"""What the scheduler is told to send: everything that waits, in order, not more than the window, again when lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from factories import claim_first, store_candidates, store_experiment
from sqlalchemy import select, text

from db import candidates, dispatch, leases
from db.dispatch import Message
from db.session import Database
from db.tables import EvaluationRow
from paretofarm.errors import PhoneOffline
from paretofarm.lifecycle import Stage, Step


@pytest.fixture
def candidate_ids(database: Database) -> list[int]:
    """Five candidates with queued builds."""
    with database.transaction() as session:
        return store_candidates(session, store_experiment(session).id, 5)


def send(database: Database, *, limit: int = 100, resend_s: float = 60, **options: object) -> list[Message]:
    with database.transaction() as session:
        return dispatch.due(session, limit=limit, resend_s=resend_s, **options)  # type: ignore[arg-type]


def pretend_sent_long_ago(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE evaluations SET dispatched_at = now() - interval '1 h' WHERE status = 'queued'"))


def test_each_message_is_sent_once(database: Database, candidate_ids: list[int]) -> None:
    sent = send(database)
    assert [(message.stage, message.queue, message.attempt) for message in sent] == [(Stage.BUILD, "build", 1)] * 5
    assert send(database) == []


def test_cheap_gates_come_first_then_the_oldest(database: Database, candidate_ids: list[int]) -> None:
    steps = [Step(Stage.TRAIN, rung=0), Step(Stage.MEASURE, device="virtual"), Step(Stage.COMPILE, device="virtual")]
    with database.transaction() as session:
        for candidate_id in candidate_ids[:2]:
            candidates.queue(session, candidate_id, steps)
    sent = send(database)
    assert [message.queue for message in sent[5:]] == ["compile"] * 2 + ["measure.virtual"] * 2 + ["train"] * 2
    for queue in ("build", "compile", "train"):
        ids = [message.evaluation_id for message in sent if message.queue == queue]
        assert ids == sorted(ids)


def test_window_bounds_what_is_under_way_per_queue(database: Database, candidate_ids: list[int]) -> None:
    with database.transaction() as session:
        candidates.queue(session, candidate_ids[0], [Step(Stage.TRAIN, rung=0)])
    first = send(database, limit=2)
    assert [message.queue for message in first] == ["build", "build", "train"]
    assert send(database, limit=2) == []
    with database.transaction() as session:
        claim_first(session, first[0].evaluation_id)
    assert [message.queue for message in send(database, limit=2)] == ["build"]


def test_lost_message_is_sent_again(database: Database, candidate_ids: list[int]) -> None:
    first = send(database)
    pretend_sent_long_ago(database)
    with database.transaction() as session:
        claim_first(session, first[0].evaluation_id)
        assert dispatch.overdue_queues(session, resend_s=60) == ["build"]
    assert send(database) == first[1:]


def test_message_behind_others_is_not_sent_again(database: Database, candidate_ids: list[int]) -> None:
    sent = send(database)
    pretend_sent_long_ago(database)
    assert send(database, drained={"train"}) == []
    assert send(database, drained={"build"}) == sent


def test_message_the_broker_did_not_take_is_due_at_once(database: Database, candidate_ids: list[int]) -> None:
    sent = send(database)
    with database.transaction() as session:
        dispatch.unsent(session, sent[3:])
    assert send(database) == sent[3:]


def test_retry_waits_for_its_time_and_is_sent_with_the_new_attempt(
    database: Database, candidate_ids: list[int]
) -> None:
    sent = send(database)
    with database.transaction() as session:
        claim = claim_first(session, sent[0].evaluation_id)
        leases.fail(session, claim, PhoneOffline())
    assert send(database) == []
    with database.transaction() as session:
        session.execute(text("UPDATE evaluations SET not_before = now()"))
    [again] = send(database)
    assert (again.evaluation_id, again.attempt) == (sent[0].evaluation_id, 2)


def test_two_schedulers_never_send_the_same(database: Database) -> None:
    with database.transaction() as session:
        store_candidates(session, store_experiment(session).id, 200)
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda _: send(database, limit=1000), range(4)))
    ids = [message.evaluation_id for batch in batches for message in batch]
    with database.transaction() as session:
        assert sorted(ids) == sorted(session.scalars(select(EvaluationRow.id)))
