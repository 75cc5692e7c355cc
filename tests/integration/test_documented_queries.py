"""Every query of docs/queries.md runs, as a reader, and finds something in a database of results."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_results import done, evaluation, store_results
from factories import (
    claim_first,
    make_measurement,
    make_proposal,
    store_candidates,
    store_experiment,
    store_phone,
)
from services import RunningPostgres
from sqlalchemy import text
from sqlalchemy.orm import Session

from db import candidates, events, experiments, leases, phone_work, phones, reference_checks
from db.phone_work import EndedWork, WorkKind
from db.point_front import FrontRequest, point_front
from db.reference_checks import ReferenceCheck
from db.report import Report
from db.session import Database
from paretofarm.errors import PhoneOffline
from paretofarm.lifecycle import CandidateStatus, Stage, Step, Verdict

DOCUMENT = Path(__file__).parents[2] / "docs/queries.md"
QUERIES = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)


def title(query: str) -> str:
    """The line above it."""
    return DOCUMENT.read_text().split(f"\n```sql\n{query}")[0].rsplit("\n", 1)[-1]


@pytest.fixture(scope="module")
def database(postgres: RunningPostgres, template_database: str) -> Iterator[Database]:
    database = Database(postgres.create_database("documented_queries", template_database))
    store_results(database)
    with database.transaction() as session:
        two_phones(session)
        a_suspicious_phone(session)
        a_retry(session)
    yield database
    database.dispose()


def two_phones(session: Session) -> None:
    """A search on two device classes, with a family."""
    objectives = [{"name": "miou", "goal": "maximize"}]
    objectives += [{"name": "latency_ms", "goal": "minimize", "device": device} for device in ("SM8550", "SM8350")]
    search = store_experiment(session, name="two-phones", objectives=objectives)
    first, _ = candidates.propose(session, search.id, [make_proposal(), make_proposal()])
    [child] = candidates.propose(session, search.id, [make_proposal(parents=(0, 1))])
    for candidate_id, miou in ((first, 0.4), (child, 0.5)):
        done(session, candidate_id, Step(Stage.BUILD), Report({"parameters": 5e5}))
        measures = [Step(Stage.MEASURE, "SM8550"), Step(Stage.MEASURE, "SM8350")]
        candidates.queue(session, candidate_id, [*measures, Step(Stage.TRAIN, rung=0)])
        for step, latency_ms in zip(measures, (3.0, 5.0), strict=True):
            measured(session, candidate_id, step, latency_ms)
        done(session, candidate_id, Step(Stage.TRAIN, rung=0), Report({"miou": miou}))
        candidates.finish(session, candidate_id, Verdict(CandidateStatus.COMPLETE))


def measured(session: Session, candidate_id: int, step: Step, latency_ms: float) -> None:
    query = "SELECT id FROM evaluations WHERE candidate_id = :candidate AND device = :device"
    evaluation_id = session.scalar(text(query), {"candidate": candidate_id, "device": step.device})
    assert evaluation_id is not None
    record = make_measurement(store_phone(session, device=step.device), latency_ms=latency_ms)
    interval = {"latency_ms": (latency_ms * 0.99, latency_ms * 1.01)}
    report = Report({"latency_ms": latency_ms}, interval, measurement=record, simulated=True)
    leases.report(session, claim_first(session, evaluation_id), report)


def a_suspicious_phone(session: Session) -> None:
    phone = store_phone(session, serial="R58M")
    check = ReferenceCheck(phone, "r" * 64, "key", 1.3, 1.0, None, "drifts", simulated=True)
    reference_checks.store(session, check)
    phone_work.store(session, phone, [EndedWork(WorkKind.CHECK, "drifted", duration_s=864.0)])
    conditions = {"temperatures": {"cpu": 41.5, "gpu": 39.0}}
    phones.set_state(session, phone, phones.PhoneState.COOLING, "41.5 °C", conditions)


def a_retry(session: Session) -> None:
    search = store_experiment(session, name="bumpy")
    [candidate_id] = store_candidates(session, search.id)
    claim = claim_first(session, evaluation(session, candidate_id, Step(Stage.BUILD)))
    leases.fail(session, claim, PhoneOffline("no answer"))


def ask(database: Database, query: str) -> list[dict[str, Any]]:
    with database.transaction() as session:
        session.execute(text("SET LOCAL ROLE paretofarm_reader"))
        return [dict(row._mapping) for row in session.connection().exec_driver_sql(query)]


def test_there_are_fifteen_useful_queries() -> None:
    assert len(QUERIES) >= 15
    assert len(set(QUERIES)) == len(QUERIES)


@pytest.mark.parametrize("query", QUERIES, ids=title)
def test_a_documented_query_finds_something(database: Database, query: str) -> None:
    assert ask(database, query)


def test_search_progress_counts(database: Database) -> None:
    [row] = ask(database, "SELECT * FROM search_progress WHERE search = 'faces-demo'")
    counts = {
        name: row[name] for name in ("proposed", "running", "complete", "infeasible", "failed", "queued", "leased")
    }
    assert counts == {
        "proposed": 1,
        "running": 0,
        "complete": 4,
        "infeasible": 1,
        "failed": 1,
        "queued": 1,
        "leased": 0,
    }
    assert (row["target"], row["complete_last_hour"]) == (24, 4)
    assert row["train_hours"] * 3600 == pytest.approx(24.0)


def test_phone_health_says_what_is_wrong(database: Database) -> None:
    [row] = ask(database, "SELECT * FROM phone_health WHERE serial = 'R58M'")
    assert (row["state"], row["temperature_celsius"], row["simulated"]) == ("cooling", 41.5, True)
    assert (row["checks"], row["failed_checks"], row["measurements"]) == (1, 1, 0)
    assert row["reference_ratio"] == pytest.approx(1.3)
    assert row["busy_share"] == pytest.approx(0.01, rel=0.01)


def test_points_of_a_search_on_two_device_classes(database: Database) -> None:
    query = """
        SELECT number, device, latency_ms, miou, generation, simulated FROM points
        JOIN experiments e ON e.id = experiment_id WHERE e.name = 'two-phones' ORDER BY number, device
    """
    assert [tuple(row.values()) for row in ask(database, query)] == [
        (0, "SM8350", 5.0, 0.4, 0, True),
        (0, "SM8550", 3.0, 0.4, 0, True),
        (2, "SM8350", 5.0, 0.5, 1, True),
        (2, "SM8550", 3.0, 0.5, 1, True),
    ]


def test_a_front_across_devices(database: Database) -> None:
    """The best mIoU against one class's latency, with a limit on the other's."""
    with database.transaction() as session:
        search = experiments.find(session, "two-phones")
        request = FrontRequest(metrics=("latency_ms@SM8550", "miou"), where="latency_ms@SM8350 < 6")
        front = point_front(session, search, request)
        assert [member.number for member in front.members] == [2]
        assert [axis.goal.value for axis in front.axes] == ["minimize", "maximize"]
        slow = FrontRequest(metrics=("latency_ms@SM8550", "miou"), where="latency_ms@SM8350 > 6")
        assert point_front(session, search, slow).members == ()


def test_events_of_a_newer_version_are_left_out(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("INSERT INTO events (kind) VALUES ('of_the_future')"))
        assert events.latest(session, limit=1) == []
        assert len(events.tail(session, limit=5)) == 4
