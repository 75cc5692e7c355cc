"""A farm with results for the web page, made the way workers and agents make it: proposals, claims and reports."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from factories import claim_first, make_experiment, make_measurement, store_phone
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db import candidates, experiments, leases, phone_work, phones, workers
from db.artifacts import ArtifactStore
from db.experiments import StoredExperiment
from db.phones import PhoneState
from db.report import EpochMetrics, Report
from db.session import Database
from db.tables import EvaluationRow
from db.workers import WorkerFacts
from paretofarm.algorithms.port import Origin, Proposal
from paretofarm.architecture import Architecture
from paretofarm.calibration import CalibrationResult, LayerNoise
from paretofarm.errors import OutOfMemory
from paretofarm.lifecycle import CandidateStatus, Stage, Step, Verdict

MEASURE, COMPILE, TRAIN = Step(Stage.MEASURE, "virtual"), Step(Stage.COMPILE, "virtual"), Step(Stage.TRAIN, rung=0)
COMPILE_TRAINED = Step(Stage.COMPILE, "virtual", rung=0)
COST = {"conv3x3": 9, "conv5x5": 25}
EPOCHS = 4
SPACE = {
    "type": "hourglass",
    "input_size": 64,
    "base_channels": [8, 16, 24],
    "hourglasses": [1],
    "downsample_blocks": 4,
    "downsample_layers": [1, 2],
    "channel_expansions": [1, 1.2, 1.5],
    "skip_layers": [0, 1],
    "upsample_layers": [1, 2],
    "post_upsample_layers": [0, 1],
    "ops": ["conv3x3", "conv5x5"],
}
SETTINGS = {
    "search_space": SPACE,
    "algorithm": {"type": "evolution_pareto", "initial": 8},
    "objectives": [
        {"name": "miou", "goal": "maximize"},
        {"name": "latency_ms", "goal": "minimize", "device": "virtual"},
    ],
    "stop": {"candidates": 60},
}


@dataclass
class Farm:
    """A search that runs, on a phone. ids: of its complete candidates, in order."""

    database: Database
    store: ArtifactStore
    search: StoredExperiment
    phone: int
    ids: list[int]
    rng: np.random.Generator

    def complete_one(self, *, latency_ms: float | None = None, miou: float | None = None) -> int:
        """Another candidate comes to its end. Its id."""
        with self.database.transaction() as session:
            candidate_id, architecture = propose(session, self)
            self._complete(session, candidate_id, architecture, latency_ms, miou)
        return candidate_id

    def _complete(
        self,
        session: Session,
        candidate_id: int,
        architecture: Architecture,
        latency_ms: float | None,
        miou: float | None,
    ) -> None:
        cost = cost_of(architecture)
        latency_ms = latency_ms or 0.4 + cost / 900 * self.rng.uniform(0.85, 1.2)
        miou = miou or float(0.78 - 0.62 * np.exp(-cost / 900) + self.rng.normal(0, 0.02))
        finish(session, self, candidate_id, latency_ms=latency_ms, miou=miou, cost=cost)
        self.ids.append(candidate_id)


def make_farm(
    database: Database, store: ArtifactStore, *, name: str = "faces-demo", complete: int = 24, **settings: Any
) -> Farm:
    """`complete` candidates, an infeasible one, a failed one and two in flight; two phones and two workers."""
    experiment = make_experiment(**{**SETTINGS, "name": name, **settings})
    with database.transaction() as session:
        experiment_id = experiments.create(session, experiment, source="name: demo\n", code_version="test")
        search = experiments.get(session, experiment_id)
        phone = store_phone(session)
        phones.set_state(
            session, phone, PhoneState.BUSY, conditions={"battery_level": 81, "temperatures": {"soc": 41.5}}
        )
        other = store_phone(session)
        phones.set_state(
            session, other, PhoneState.COOLING, "45.2 °C, waits for 40 °C", {"temperatures": {"soc": 45.2}}
        )
        _announce(session)
    farm = Farm(database, store, search, phone, [], np.random.default_rng(len(name)))
    for _ in range(complete):
        farm.complete_one()
    _unlucky(farm)
    _worked(farm)
    return farm


def propose(session: Session, farm: Farm) -> tuple[int, Architecture]:
    """Random ones first, then children of earlier ones, none twice. Id and architecture."""
    while True:
        proposal = _proposal(session, farm)
        ids = candidates.propose(session, farm.search.id, [proposal])
        if ids:
            return ids[0], proposal.architecture


def _proposal(session: Session, farm: Farm) -> Proposal:
    space = farm.search.experiment.search_space.search_space()
    if len(farm.ids) < 8:
        return Proposal(space.sample(farm.rng), Origin.RANDOM, ())
    parent_id = farm.ids[int(farm.rng.integers(len(farm.ids)))]
    row = session.execute(text("SELECT number, architecture FROM candidates WHERE id = :id"), {"id": parent_id}).one()
    child = space.mutate(Architecture.from_dict(row.architecture), farm.rng)
    assert child is not None
    return Proposal(child, Origin.MUTATION, (row.number,))


def finish(session: Session, farm: Farm, candidate_id: int, *, latency_ms: float, miou: float, cost: float) -> None:
    _done(
        session, candidate_id, Step(Stage.BUILD), Report({"parameters": round(cost * 90), "macs": round(cost * 21_000)})
    )
    candidates.queue(session, candidate_id, [COMPILE, MEASURE, TRAIN])
    network = farm.store.put_bytes(f"network of {candidate_id}".encode() * 200, "network")
    compiled = farm.store.put_bytes(f"int8 network of {candidate_id}".encode() * 60, "network_int8")
    _done(
        session,
        candidate_id,
        COMPILE,
        Report({"network_bytes": float(network.size_bytes)}, artifacts=[network, compiled]),
    )
    interval = {"latency_ms": (latency_ms * 0.97, latency_ms * 1.035)}
    measurement = make_measurement(farm.phone, latency_ms=latency_ms)
    measured = {"latency_ms": latency_ms, "latency_p90_ms": latency_ms * 1.1}
    _done(session, candidate_id, MEASURE, Report(measured, interval, measurement=measurement, simulated=True))
    epochs = [
        EpochMetrics(epoch, 2.4 / epoch, 3.0 + cost / 900, {"miou": miou * (1 - 0.5 / epoch**1.5)})
        for epoch in range(1, EPOCHS)
    ] + [EpochMetrics(EPOCHS, 0.5, 3.0 + cost / 900, {"miou": miou})]
    _done(
        session,
        candidate_id,
        TRAIN,
        Report({"miou": miou, "loss": 0.5}, epochs=epochs, details={"per_class": _classes(miou)}),
    )
    candidates.queue(session, candidate_id, [COMPILE_TRAINED])
    _done(session, candidate_id, COMPILE_TRAINED, Report(details={"calibration": _calibration(miou).to_dict()}))
    candidates.finish(session, candidate_id, Verdict(CandidateStatus.COMPLETE))


def _calibration(miou: float) -> CalibrationResult:
    layers = tuple(LayerNoise(f"stages.{number}.0", "Conv", 30.0 + number, 0.02 / number) for number in range(1, 11))
    scores = {"minmax": miou - 0.03, "percentile": miou - 0.006, "mse": miou - 0.011}
    return CalibrationResult("percentile", 24, miou, scores, layers)


def cost_of(architecture: Architecture) -> float:
    """A number that grows with channels, layers and kernels."""
    choices = architecture.choices
    layers = [COST[str(value)] for name, value in choices.items() if name.endswith(".op")]
    expansions = [float(value) for name, value in choices.items() if name.endswith(".expansion")]
    return (
        sum(layers) * float(choices["base_channels"]) / 4 * float(np.mean(expansions)) / float(choices["stem_stride"])
    )


MANY = """
    INSERT INTO candidates (experiment_id, number, digest, architecture, origin, parents, status, metrics, intervals,
                            simulated, started_at, finished_at)
    SELECT :search, 1000 + i, encode(sha256(i::text::bytea), 'hex'),
           jsonb_build_object('space', 'hourglass', 'choices', jsonb_build_object('serial', i)), 'random',
           ARRAY[]::bigint[], 'complete',
           jsonb_build_object('latency_ms@virtual', l, 'parameters', 1000.0 * l, 'macs', 5e6 * l,
                              'miou', 0.85 - 0.6 * exp(-l / 3) - 0.12 * (hashint4(i) & 1023) / 1024.0),
           jsonb_build_object('latency_ms@virtual', jsonb_build_array(l * 0.97, l * 1.03)), true,
           clock_timestamp(), clock_timestamp() + i * interval '1 second'
    FROM (SELECT i, 0.5 + 15 * (hashint4(i * 7) & 4095) / 4096.0 AS l FROM generate_series(1, :count) AS i) AS drawn
"""
POINTS = """
    INSERT INTO points (experiment_id, device, number, candidate_id, status, latency_ms, latency_low_ms,
                        latency_high_ms, miou, generation, train_s, simulated, noisy, finished_at)
    SELECT experiment_id, 'virtual', number, id, status, (metrics ->> 'latency_ms@virtual')::float,
           (intervals -> 'latency_ms@virtual' ->> 0)::float, (intervals -> 'latency_ms@virtual' ->> 1)::float,
           (metrics ->> 'miou')::float, number % 40, 12, true, false, finished_at
    FROM candidates WHERE experiment_id = :search AND number > 1000
"""


def add_many(database: Database, search_id: int, count: int) -> None:
    """So many complete candidates, written by the database itself; its triggers would take a minute."""
    with database.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(MANY), {"search": search_id, "count": count})
        session.execute(text(POINTS), {"search": search_id})


def _unlucky(farm: Farm) -> None:
    with farm.database.transaction() as session:
        infeasible, _ = propose(session, farm)
        candidates.finish(session, infeasible, Verdict(CandidateStatus.INFEASIBLE, "parameters is 6e+07"))
        failed, _ = propose(session, farm)
        leases.fail(
            session, claim_first(session, _evaluation(session, failed, Step(Stage.BUILD))), OutOfMemory("4 GiB")
        )
        candidates.finish(session, failed, Verdict(CandidateStatus.FAILED, "build: OutOfMemory: 4 GiB"))
        building, _ = propose(session, farm)
        claim_first(session, _evaluation(session, building, Step(Stage.BUILD)), owner="worker@farm")
        propose(session, farm)


def _worked(farm: Farm) -> None:
    """What the phone did in the last hours, and how its reference network ran over some weeks."""
    with farm.database.transaction() as session:
        now = phone_work.now(session)
        session.execute(text("UPDATE phones SET created_at = now() - interval '12 days'"))
        for day in range(10):
            start = now - timedelta(days=day, hours=3)
            _work(session, farm.phone, start, hours=0.3 + 0.25 * (day % 4))
            drift = float(1.0 + 0.03 * np.sin(day))
            session.execute(
                text(
                    "INSERT INTO reference_checks (phone_id, at, reference_sha256, protocol_key, latency_ms,"
                    " baseline_ms, passed, simulated) VALUES (:phone, :at, :sha, 'p', :latency, 1.0, true, true)"
                ),
                {"phone": farm.phone, "at": start, "sha": "c" * 64, "latency": drift},
            )


def _work(session: Session, phone: int, start: datetime, *, hours: float) -> None:
    session.execute(
        text(
            "INSERT INTO phone_work (phone_id, kind, started_at, ended_at, outcome)"
            " VALUES (:phone, 'measure', :start, :end, 'done')"
        ),
        {"phone": phone, "start": start, "end": start + timedelta(hours=hours)},
    )


def _announce(session: Session) -> None:
    for name, kind, queues in (("worker@farm", "worker", ("build", "train")), ("scheduler@farm", "scheduler", ())):
        workers.register(session, WorkerFacts(name, kind, "farm", 4242, queues, "test"))


def _classes(miou: float) -> dict[str, dict[str, float] | None]:
    found: dict[str, dict[str, float] | None] = {
        name: {"iou": min(0.99, miou * factor), "f1": min(0.99, miou * factor * 1.1), "pixels": pixels}
        for name, factor, pixels in (
            ("background", 1.25, 51_000),
            ("skin", 1.1, 24_000),
            ("hair", 0.9, 9_000),
            ("nose", 0.7, 900),
        )
    }
    return {**found, "hat": None}


def _done(session: Session, candidate_id: int, step: Step, report: Report) -> None:
    leases.report(session, claim_first(session, _evaluation(session, candidate_id, step)), report)


def _evaluation(session: Session, candidate_id: int, step: Step) -> int:
    query = select(EvaluationRow.id).where(EvaluationRow.candidate_id == candidate_id)
    rung = EvaluationRow.rung.is_not_distinct_from(step.rung)
    found = session.scalar(query.where(EvaluationRow.stage == step.stage, rung))
    assert found is not None
    return found
