"""Latencies that searches share, through the real database, and what is said of how well they are predicted."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from dashboard_client import asking, make_app
from factories import make_experiment, make_measurement, store_phone
from sqlalchemy import select, text
from test_scheduler import RESULTS, SPACE, Farm

from cli.main import main
from db import experiments, leases
from db.latencies import LatencyFeed, latency_groups
from db.report import Report
from db.tables import CandidateRow, EvaluationRow
from paretofarm.architecture import Architecture
from paretofarm.lifecycle import CandidateStatus, EvaluationStatus, Stage
from paretofarm.measurement import PROTOCOL_VERSION
from paretofarm.spaces import HourglassSpace

HOURGLASS = HourglassSpace.model_validate(SPACE).search_space()
SURROGATE = {"type": "surrogate_pareto", "initial": 4, "pool": 20}


def latency_ms(document: Any) -> float:
    """Of the stored architecture on the pretended phone."""
    return 1.0 + 1e-4 * float(HOURGLASS.describe(Architecture.from_dict(document)).numbers["log_macs"]) ** 4


class PhoneFarm(Farm):
    """One whose phones leave measurements behind."""

    simulated = True

    def __init__(self, database_url: str, broker_url: str, **overrides: Any) -> None:
        super().__init__(database_url, broker_url, **overrides)
        self.database_url = database_url

    def measure(self) -> int:
        """Claims everything that is queued; measurements come with their records."""
        with self.database.transaction() as session:
            phone_id = store_phone(session, simulated=self.simulated)
            queued = session.scalars(select(EvaluationRow).where(EvaluationRow.status == EvaluationStatus.QUEUED)).all()
            for row in queued:
                claim = leases.claim(session, row.id, row.attempt, owner="test", lease_s=60)
                assert claim is not None
                leases.report(session, claim, self._report(phone_id, row.stage, claim.architecture.to_dict()))
        return len(queued)

    def _report(self, phone_id: int, stage: Stage, architecture: Any) -> Report:
        if stage is not Stage.MEASURE:
            return Report(metrics=RESULTS[stage])
        value = latency_ms(architecture)
        record = make_measurement(phone_id, latency_ms=value, simulated=self.simulated)
        return Report(metrics={"latency_ms": value}, measurement=replace(record, protocol=PROTOCOL_VERSION))

    def run(self) -> None:
        for _ in range(200):
            self.scheduler.tick()
            if not self.measure():
                break
        self.scheduler.tick()

    def begin(self, name: str, **overrides: Any) -> int:
        document = {"name": name, "search_space": SPACE, "in_flight": 4, "stop": {"candidates": 6}, **overrides}
        with self.database.transaction() as session:
            return experiments.create(session, make_experiment(**document), source="", code_version="test")

    def of(self, search: int) -> list[CandidateRow]:
        with self.database.transaction() as session:
            query = select(CandidateRow).where(CandidateRow.experiment_id == search).order_by(CandidateRow.number)
            return list(session.scalars(query))


@pytest.fixture
def farm(database_url: str, broker_url: str) -> Iterator[PhoneFarm]:
    """With a search of 30 random candidates, all measured."""
    with closing(PhoneFarm(database_url, broker_url, in_flight=10, stop={"candidates": 30})) as farm:
        farm.run()
        yield farm


def fresh(farm: PhoneFarm, feed: LatencyFeed) -> list[str]:
    with farm.database.transaction() as session:
        return [each.digest for each in feed.read(session)]


def feed_of(farm: PhoneFarm, search: int) -> LatencyFeed:
    with farm.database.transaction() as session:
        return LatencyFeed(experiments.get(session, search))


def test_a_search_is_told_what_another_measured_once(farm: PhoneFarm) -> None:
    feed = feed_of(farm, farm.begin("later", seed=9))
    assert fresh(farm, feed) == [row.digest for row in farm.of(farm.id)]
    assert fresh(farm, feed) == []
    farm.run()
    third = feed_of(farm, farm.begin("third"))
    assert len(fresh(farm, third)) == 36
    assert fresh(farm, feed) == []  # its own are no news


@pytest.mark.parametrize(
    "overrides",
    [
        {"measurement": {"runtime": "onnxruntime", "threads": 4}},
        {"search_space": {**SPACE, "base_channels": [8]}},
    ],
    ids=["measured otherwise", "over another space"],
)
def test_what_cannot_be_compared_is_not_told(farm: PhoneFarm, overrides: dict[str, Any]) -> None:
    assert fresh(farm, feed_of(farm, farm.begin("later", **overrides))) == []


def test_a_search_that_this_version_cannot_read_is_passed_over(farm: PhoneFarm) -> None:
    feed = feed_of(farm, farm.begin("later"))
    with farm.database.transaction() as session:
        changed = text('UPDATE experiments SET config = config || \'{"seed": "none"}\' WHERE id = :id')
        session.execute(changed, {"id": farm.id})
    assert fresh(farm, feed) == []


def test_simulated_latencies_are_not_told_where_there_is_a_real_phone_of_the_class(farm: PhoneFarm) -> None:
    with farm.database.transaction() as session:
        store_phone(session, simulated=False)
    assert fresh(farm, feed_of(farm, farm.begin("later"))) == []


def test_a_proposal_that_is_too_slow_for_sure_is_not_made(farm: PhoneFarm) -> None:
    """All that the second search knows at its first proposal is what the first has measured."""
    measured = sorted(row.metrics["latency_ms@virtual"] for row in farm.of(farm.id))
    limits = [{"name": "latency_ms", "device": "virtual", "at_most": measured[10]}]
    asked = {"constraints": limits, "stop": {"candidates": 100, "proposals": 20}, "seed": 11}
    screened = farm.begin("screened", predictor={"screen": 0.02}, **asked)
    plain = farm.begin("plain", predictor={"share": False}, **asked)
    farm.run()
    slow = [sum(row.status is CandidateStatus.INFEASIBLE for row in farm.of(search)) for search in (screened, plain)]
    assert len(farm.of(screened)) == len(farm.of(plain)) == 20
    assert slow[0] < 8 <= slow[1]


@pytest.mark.parametrize(("said", "expected"), [({}, 0), ({"borrow": 5}, 5), ({"borrow": 5, "share": False}, 0)])
def test_a_search_borrows_as_many_latencies_as_it_asks_for(
    farm: PhoneFarm, said: dict[str, Any], expected: int
) -> None:
    search = farm.begin("later", algorithm=SURROGATE, predictor=said)
    farm.scheduler.tick()
    foresight = farm.scheduler._searches[search]._foresight
    assert foresight is not None
    latest = [row.digest for row in farm.of(farm.id)][30 - expected :]
    assert [member.digest for member in foresight.borrowed] == latest


def test_a_restarted_scheduler_proposes_the_same(farm: PhoneFarm) -> None:
    proposed = []
    for name, restarts in (("first", False), ("second", True)):
        search = farm.begin(
            name, algorithm=SURROGATE, predictor={"share": False}, measurement={"runtime": "onnxruntime"}
        )
        for _ in range(40):
            if restarts:
                farm.scheduler._searches.clear()
            farm.scheduler.tick()
            if not farm.measure():
                break
        proposed.append([row.digest for row in farm.of(search)])
    assert proposed[0] == proposed[1]


def test_the_error_is_told_for_each_device_class_and_space(
    farm: PhoneFarm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    farm.begin("small", search_space={**SPACE, "base_channels": [8]}, stop={"candidates": 3})
    farm.run()
    with farm.database.transaction() as session:
        groups = latency_groups(session)
    assert [(group.device, group.simulated, group.searches) for group in groups] == [
        ("virtual", True, ("demo",)),
        ("virtual", True, ("small",)),
    ]
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", farm.database_url)
    asked = CliRunner().invoke(main, ["phones", "--predictor", "--json"], catch_exceptions=False)
    first, second = json.loads(asked.stdout)
    assert (first["measurements"], first["judged"], first["searches"]) == (30, 20, ["demo"])
    assert 0 < first["median_ape"] < 0.3
    assert first["tau"] > 0.6
    assert 0.5 < first["coverage"] <= 1.0
    assert (second["measurements"], second["judged"], second["mape"]) == (3, 0, None)
    assert second["space"]["base_channels"] == [8]
    with asking(make_app(farm.database, tmp_path, open=True)) as client:
        assert client.get("/api/v1/phones/predictors").json() == {"predictors": [first, second]}
    table = CliRunner().invoke(main, ["phones", "--predictor"], catch_exceptions=False).stdout
    assert "virtual (simulated)" in table and f"{first['tau']:.2f}" in table
