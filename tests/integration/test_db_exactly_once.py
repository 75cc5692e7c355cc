"""Whatever dies, doubles or comes late: every evaluation has its effect once, and the rules of leases hold."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, Queue

from factories import store_candidates, store_experiment
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from services import wait_until
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db import dispatch, leases
from db.claim import Claim
from db.dispatch import Message
from db.report import Report
from db.session import Database
from db.tables import EvaluationRow
from paretofarm.errors import BuildFailed, LeaseLost, ParetofarmError, PhoneOffline
from paretofarm.lifecycle import MAX_ATTEMPTS, EvaluationStatus

EVALUATIONS = 60
WORKERS = 8
LEASE_S = 0.05


class Killed(BaseException):
    """The worker is gone in the middle of what it did."""


def count_open(database: Database) -> int:
    with database.transaction(durable=False) as session:
        query = text("SELECT count(*) FROM evaluations WHERE status IN ('queued', 'leased')")
        return session.scalar(query) or 0


def work(database: Database, message: Message, rng: random.Random, owner: str) -> None:
    """One message, by a worker that may be killed at any moment, or be late."""
    with database.transaction() as session:
        claim = leases.claim(session, message.evaluation_id, message.attempt, owner=owner, lease_s=LEASE_S)
    fate = rng.random()
    if claim is None or fate < 0.15:
        return
    if fate < 0.4:
        threading.Event().wait(LEASE_S * 2 * rng.random())
    with database.transaction() as session:
        session.execute(text("INSERT INTO effects VALUES (:id)"), {"id": message.evaluation_id})
        leases.report(session, claim, Report(metrics={"parameters": 1}))
        if fate > 0.85:
            raise Killed


def test_every_effect_is_exactly_once_while_workers_are_killed(database: Database) -> None:
    with database.transaction() as session:
        store_candidates(session, store_experiment(session).id, EVALUATIONS)
        session.execute(text("CREATE TABLE effects (evaluation_id bigint)"))
    messages: Queue[Message] = Queue()
    over = threading.Event()

    def consume(number: int) -> None:
        rng = random.Random(number)
        while not over.is_set():
            try:
                work(database, messages.get(timeout=0.02), rng, f"worker-{number}")
            except (Empty, LeaseLost, Killed):
                continue

    def plan() -> bool:
        with database.transaction() as session:
            leases.requeue_expired(session)
            for message in dispatch.due(session, limit=20, resend_s=0.2):
                messages.put(message)
                messages.put(message)
        return count_open(database) == 0

    with ThreadPoolExecutor(WORKERS) as pool:
        workers = [pool.submit(consume, number) for number in range(WORKERS)]
        try:
            wait_until(plan, 60, "all evaluations to end")
        finally:
            over.set()
        for worker in workers:
            worker.result(30)
    with database.transaction() as session:
        effects = sorted(session.scalars(text("SELECT evaluation_id FROM effects")))
        done = session.scalars(select(EvaluationRow.id).where(EvaluationRow.status == EvaluationStatus.DONE))
        assert effects == sorted(done)
        assert len(effects) > EVALUATIONS / 2
        reported = text("SELECT evaluation_id FROM events WHERE kind = 'evaluation_done' ORDER BY 1")
        assert list(session.scalars(reported)) == effects


class Leasing(RuleBasedStateMachine):
    """One evaluation, and what must be true of it after anything anybody does."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.status, self.attempt, self.failures = EvaluationStatus.QUEUED, 1, 0
        self.holder: Claim | None = None
        self.claims: list[Claim] = []
        with database.transaction(durable=False) as session:
            [candidate_id] = store_candidates(session, store_experiment(session).id)
            query = select(EvaluationRow.id).where(EvaluationRow.candidate_id == candidate_id)
            self.evaluation_id = session.scalars(query).one()

    @rule(behind=st.integers(0, 2))
    def claim(self, behind: int) -> None:
        with self.database.transaction(durable=False) as session:
            attempt = self.attempt - behind
            claim = leases.claim(session, self.evaluation_id, attempt, owner="somebody", lease_s=1e6)
        assert (claim is not None) == (behind == 0 and self.status is EvaluationStatus.QUEUED)
        if claim:
            assert claim.failures == self.failures
            self.holder, self.status = claim, EvaluationStatus.LEASED
            self.claims.append(claim)

    @precondition(lambda self: self.claims)
    @rule(who=st.integers(0, 9))
    def extend(self, who: int) -> None:
        claim = self.claims[who % len(self.claims)]
        self._attempted(claim, lambda session: leases.extend(session, claim, 1e6, progress=0.5))

    @precondition(lambda self: self.claims)
    @rule(who=st.integers(0, 9))
    def report(self, who: int) -> None:
        claim = self.claims[who % len(self.claims)]
        if self._attempted(claim, lambda session: leases.report(session, claim, Report())):
            self._release(EvaluationStatus.DONE)

    @precondition(lambda self: self.claims)
    @rule(who=st.integers(0, 9))
    def hand_back(self, who: int) -> None:
        claim = self.claims[who % len(self.claims)]
        if self._attempted(claim, lambda session: leases.hand_back(session, claim)):
            self.attempt += 1
            self._release(EvaluationStatus.QUEUED)

    @precondition(lambda self: self.claims)
    @rule(who=st.integers(0, 9), error=st.sampled_from([PhoneOffline(), BuildFailed()]))
    def fail(self, who: int, error: ParetofarmError) -> None:
        claim = self.claims[who % len(self.claims)]
        if self._attempted(claim, lambda session: leases.fail(session, claim, error)):
            self._failed(for_good=isinstance(error, BuildFailed))

    @rule()
    def expire(self) -> None:
        with self.database.transaction(durable=False) as session:
            session.execute(
                text("UPDATE evaluations SET lease_expires_at = now() - interval '1 s' WHERE status = 'leased'")
            )
            assert leases.requeue_expired(session) == (self.status is EvaluationStatus.LEASED)
        if self.status is EvaluationStatus.LEASED:
            self._failed(for_good=False)

    @invariant()
    def database_agrees(self) -> None:
        with self.database.transaction(durable=False) as session:
            row = session.get_one(EvaluationRow, self.evaluation_id)
            assert (row.status, row.attempt, row.failures) == (self.status, self.attempt, self.failures)
            assert row.token == (self.holder.token if self.holder else None)

    def teardown(self) -> None:
        with self.database.transaction(durable=False) as session:
            session.execute(text("UPDATE evaluations SET status = 'done', token = NULL, lease_expires_at = NULL"))

    def _attempted(self, claim: Claim, action: Callable[[Session], object]) -> bool:
        try:
            with self.database.transaction(durable=False) as session:
                action(session)
        except LeaseLost:
            assert claim is not self.holder
            return False
        assert claim is self.holder
        return True

    def _failed(self, *, for_good: bool) -> None:
        self.failures += 1
        if for_good or self.failures >= MAX_ATTEMPTS:
            self._release(EvaluationStatus.FAILED)
        else:
            self.attempt += 1
            self._release(EvaluationStatus.QUEUED)

    def _release(self, status: EvaluationStatus) -> None:
        self.holder, self.status = None, status


def test_leases_keep_their_rules_whatever_happens(database: Database) -> None:
    limits = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(lambda: Leasing(database), settings=limits)
