"""What a measurement leaves in the database beside its latency, and when one is used again.

Real Postgres, a real phone of the virtual kind; a loop stands for Celery.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from factories import make_measurement, store_candidates, store_experiment, store_phone
from one_convolution import network
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db import candidates, dispatch, leases, measured
from db.artifacts import ArtifactStore
from db.leases import Report
from db.report import MeasurementRecord
from db.session import Database
from db.tables import CandidateRow, EvaluationRow, MeasurementRow
from db.work import perform
from device_agents.conditions import Conditions
from device_agents.link import open_link
from device_agents.measurer import Measurer
from device_agents.metrics import PhoneMetrics
from device_agents.phone import Phone
from device_agents.runtimes import BlockTimes
from device_agents.runtimes.onnxruntime import OnnxRuntime
from device_agents.virtual_phone.phone import VirtualPhone
from device_agents.virtual_phone.state import change_state
from paretofarm.lifecycle import Stage, Step
from paretofarm.meter import NO_METER
from paretofarm.runtimes import OnnxRuntimeMeasurement

MEASUREMENT = {
    "runtime": "onnxruntime",
    "min_block_s": 0,
    "min_inferences": 5,
    "warmup_inferences": 1,
    "max_relative_ci": 0.99,
    "max_blocks": 3,
    "max_reference_shift": 1.0,
}


@dataclass(frozen=True)
class Steady:
    """The real runtime, but for its times: on a busy machine they would be noisy, and nothing noisy is used again."""

    real: OnnxRuntime
    blocks: Iterator[int] = field(default_factory=count)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def time_block(self, *where: Any, **what: Any) -> BlockTimes:
        times = self.real.time_block(*where, **what)
        pace = 1.0 + 1e-4 * (next(self.blocks) % 7)
        return replace(times, samples_ms=(pace,) * len(times.samples_ms))


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def steady(settings: OnnxRuntimeMeasurement, environment: Mapping[str, str]) -> Any:
    return Steady(OnnxRuntime(settings))


@dataclass
class Agent:
    """An agent on a virtual phone. looks: how often the phone was asked how it is; strikes: what happens at a look."""

    database: Database
    store: ArtifactStore
    root: Path
    folder: Path
    measurer: Measurer
    looks: int = 0
    lease_s: float = 60.0
    strikes: dict[int, Callable[[], object]] = field(default_factory=dict)

    def looked(self, conditions: Conditions) -> None:
        self.looks += 1
        self.strikes.pop(self.looks, lambda: None)()

    def measure(self, **measurement: object) -> MeasurementRow:
        """A candidate of a search of its own, always with the same network."""
        with self.database.transaction() as session:
            self._queue(session, {**MEASUREMENT, **measurement})
            before = len(session.scalars(select(MeasurementRow)).all())
        self.work()
        found = self.measurements()
        assert len(found) == before + 1
        return found[-1]

    def work(self) -> None:
        with self.database.transaction() as session:
            due = dispatch.due(session, limit=1, resend_s=0)
        for message in due:
            perform(
                self.database,
                message.evaluation_id,
                message.attempt,
                owner="agent",
                lease_s=self.lease_s,
                work=self.measurer.measure,
            )

    def measurements(self) -> list[MeasurementRow]:
        with self.database.transaction() as session:
            return list(session.scalars(select(MeasurementRow).order_by(MeasurementRow.id)))

    def metrics(self) -> list[dict[str, float]]:
        """Of each candidate."""
        with self.database.transaction() as session:
            return list(session.scalars(select(CandidateRow.metrics).order_by(CandidateRow.id)))

    def _queue(self, session: Session, measurement: dict[str, Any], rung: int | None = None) -> None:
        compiled = [self.store.put_file(network(self.folder / "network.onnx", 8), "network")]
        if rung is not None:
            compiled.append(self.store.put_file(network(self.folder / "trained.onnx", 5), "trained_network"))
        [candidate_id] = store_candidates(session, store_experiment(session, measurement=measurement).id)
        candidates.queue(session, candidate_id, [Step(Stage.COMPILE, "virtual", rung)])
        mine = select(EvaluationRow.id).where(EvaluationRow.candidate_id == candidate_id).order_by(EvaluationRow.id)
        for evaluation_id in session.scalars(mine).all():
            claim = leases.claim(session, evaluation_id, 1, owner="worker", lease_s=60)
            assert claim is not None
            artifacts = compiled if claim.step.stage is Stage.COMPILE else []
            leases.report(session, claim, Report(artifacts=artifacts))
        candidates.queue(session, candidate_id, [Step(Stage.MEASURE, "virtual", rung)])


@pytest.fixture
def agent(database: Database, tmp_path: Path) -> Iterator[Agent]:
    with VirtualPhone(tmp_path / "root", serial="detailed", port=0, boot_s=0.05) as virtual:
        phone = Phone(open_link(virtual.address, tmp_path / "adbkey"))
        phone.prepare()
        with database.transaction() as session:
            phone_id = store_phone(session)
        store = ArtifactStore((tmp_path / "artifacts").as_uri(), tmp_path / "cache")
        metrics = PhoneMetrics(NO_METER, "virtual")
        measurer = Measurer(phone, phone_id, "virtual", True, database, store, os.environ, metrics, runtimes=steady)
        made = Agent(database, store, virtual.root, tmp_path, measurer)
        phone.on_conditions = made.looked
        yield made
        phone.link.close()


def test_the_same_network_is_not_measured_twice(agent: Agent) -> None:
    first = agent.measure()
    looks = agent.looks
    second = agent.measure()
    assert second.reused_from == first.id
    assert agent.looks == looks + 1  # the phone was asked how it is, and ran nothing
    assert (second.summary, second.samples, second.details) == (first.summary, first.samples, first.details)
    one, other = agent.metrics()
    assert one == other and one["latency_ms@virtual"] > 0
    assert second.simulated


def test_what_is_measured_at_a_rung_is_the_network_that_it_has_trained(agent: Agent) -> None:
    untrained = agent.measure()
    with agent.database.transaction() as session:
        agent._queue(session, MEASUREMENT, rung=0)
    agent.work()
    trained = agent.measurements()[-1]
    assert trained.network_sha256 == sha256_of((agent.folder / "trained.onnx").read_bytes())
    assert trained.network_sha256 != untrained.network_sha256
    assert trained.reused_from is None
    assert agent.metrics()[-1]["latency_ms@virtual"] > 0


def test_a_copy_is_not_copied(agent: Agent) -> None:
    first, *copies = [agent.measure() for _ in range(3)]
    assert [copy.reused_from for copy in copies] == [first.id] * 2


def test_a_search_may_want_its_own_measurements(agent: Agent) -> None:
    first, second = agent.measure(), agent.measure(reuse=False)
    assert second.reused_from is None
    assert second.samples != first.samples


def test_a_repetition_is_measured(agent: Agent) -> None:
    agent.measure()
    with agent.database.transaction() as session:
        agent._queue(session, MEASUREMENT)
        newest = select(EvaluationRow.id).order_by(EvaluationRow.id.desc()).limit(1).scalar_subquery()
        noisy = {"failures": 1, "attempt": 2, "code": "NoisyMeasurement"}
        session.execute(update(EvaluationRow).where(EvaluationRow.id == newest).values(noisy))
    agent.work()
    assert [row.reused_from for row in agent.measurements()] == [None, None]


def test_what_the_runner_tells_is_kept_and_counts_as_metrics(agent: Agent) -> None:
    row = agent.measure()
    assert row.device == "virtual"
    assert str(row.protocol_key).startswith("onnxruntime/2/threads=1/onnxruntime_perf_test/")
    assert row.details["load_ms"].keys() == {"cold", "warm"}
    assert row.details["peak_memory_bytes"] > 2**20
    [metrics] = agent.metrics()
    assert metrics["peak_memory_bytes@virtual"] == row.details["peak_memory_bytes"]
    assert metrics["load_ms@virtual"] == row.details["load_ms"]["warm"]
    assert "energy" not in row.details  # it is plugged in


def test_a_sustained_run_leaves_its_curve(agent: Agent) -> None:
    row = agent.measure(sustained_s=1.5)
    sustained = row.details["sustained"]
    assert sustained["stopped"] is None and sustained["ran_s"] >= 1.5
    times = [point["at_s"] for point in sustained["curve"]]
    assert times == sorted(times) and len(times) >= 2
    assert sustained["curve"][0]["battery_temperature"] == 28.0
    to_class = row.summary["latency_ms"] / row.summary["raw_latency_ms"]
    assert agent.metrics()[0]["latency_sustained_ms@virtual"] == pytest.approx(sustained["latency_ms"] * to_class)


def test_a_sustained_run_that_is_longer_than_its_lease_keeps_it(agent: Agent) -> None:
    agent.lease_s, taken = 2.0, []

    def take_back() -> None:
        with agent.database.transaction() as session:
            taken.append(leases.requeue_expired(session))

    agent.strikes = dict.fromkeys(range(5, 100), take_back)
    sustained = agent.measure(sustained_s=5.0).details["sustained"]
    assert sustained["ran_s"] > 2 * agent.lease_s
    assert len(taken) >= 4 and set(taken) == {0}


def test_only_a_sustained_run_of_the_same_length_is_used_again(agent: Agent) -> None:
    rows = [
        agent.measure(**wanted) for wanted in ({}, {"sustained_s": 0.1}, {"sustained_s": 0.1}, {"sustained_s": 0.2})
    ]
    assert [row.reused_from for row in rows] == [None, None, rows[1].id, None]


def test_a_phone_that_gets_too_hot_ends_a_sustained_run_and_the_record_says_so(agent: Agent) -> None:
    looks_of_the_measurement = 1 + MEASUREMENT["max_blocks"]
    agent.strikes[looks_of_the_measurement + 1] = lambda: change_state(agent.root, battery_temperature=47.5)
    sustained = agent.measure(sustained_s=60.0).details["sustained"]
    assert sustained["stopped"] == "the battery is at 47.5 °C, limit 42 °C"
    assert sustained["ran_s"] < 60


def test_an_unplugged_phone_tells_what_its_battery_gives(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    supply = agent.root / "data/local/tmp/battery"
    supply.mkdir(parents=True)
    (supply / "current_now").write_text("-1500000\n")
    (supply / "voltage_now").write_text("4000000\n")
    monkeypatch.setattr("device_agents.energy.SUPPLY", "/data/local/tmp/battery")
    change_state(agent.root, plugged=False)
    row = agent.measure(min_block_s=1.0, reuse=False)  # of the pretended pace: 1,000 inferences, long enough to sample
    energy = row.details["energy"]
    assert energy["estimated"] is True
    assert (energy["watts"], energy["volts"]) == pytest.approx((6.0, 4.0))
    assert energy["millijoules_per_inference"] == pytest.approx(6.0 * row.summary["raw_latency_ms"])


def test_one_that_hides_its_battery_is_measured_all_the_same(agent: Agent) -> None:
    change_state(agent.root, plugged=False)
    row = agent.measure()
    assert row.conditions["before"]["powered"] is False
    assert "energy" not in row.details


def stored(database: Database, *, summary: dict[str, Any] | None = None, **wanted: object) -> MeasurementRecord | None:
    """What would be used again, had a measurement with such a summary been stored."""
    with database.transaction() as session:
        record = make_measurement(store_phone(session))
        record = replace(
            record, device="virtual", protocol_key="cpu/2", summary=replace(record.summary, **summary or {})
        )
        store_candidates(session, store_experiment(session).id)
        evaluation_id = session.scalars(select(EvaluationRow.id)).one()
        session.add(MeasurementRow(evaluation_id=evaluation_id, **record.to_row()))
        session.flush()
        asked = {"device": "virtual", "protocol_key": "cpu/2", "simulated": True, "max_relative_ci": 0.02, **wanted}
        return measured.reusable(session, record.network_sha256, **asked)


def test_what_is_the_same_in_everything_is_used_again(database: Database) -> None:
    found = stored(database)
    assert found is not None and found.reused_from is not None
    assert found.summary == make_measurement(1).summary


@pytest.mark.parametrize(
    "changes",
    [
        {"summary": {"noisy": True}},
        {"summary": {"high_ms": 5.0}},
        {"device": "virtual-2"},
        {"protocol_key": "cpu/3"},
        {"simulated": False},
        {"sustained_s": 60.0},
    ],
    ids=["noisy", "wide", "another class", "another protocol", "real", "without the sustained run"],
)
def test_other_measurements_are_not(database: Database, changes: dict[str, Any]) -> None:
    assert stored(database, **changes) is None
