"""A virtual phone behind a faulty wire, an agent's guard and measurer on it, and candidates that wait to be measured.

The loop stands for Celery: it works on what is due, one thing at a time, while the gate is open.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import onnx
from factories import store_candidates, store_experiment
from fault_proxy import FaultProxy
from onnx import TensorProto, helper, numpy_helper
from services import wait_until
from sqlalchemy import func, select

from db import candidates, dispatch, events, leases, phones
from db.artifacts import ArtifactStore
from db.events import Event
from db.leases import Report
from db.phone_work import WorkKind
from db.phones import PhoneFacts, PhoneState
from db.session import Database
from db.tables import EvaluationRow, MeasurementRow
from db.work import perform
from device_agents.blame import Guard
from device_agents.care import care_for
from device_agents.conditions import Conditions
from device_agents.link import open_link
from device_agents.measurer import Measurer
from device_agents.metrics import PhoneMetrics
from device_agents.phone import Phone
from device_agents.virtual_phone.firmware import install_firmware
from device_agents.virtual_phone.phone import VirtualPhone
from device_agents.virtual_phone.state import change_state
from paretofarm.lifecycle import EvaluationStatus, Stage, Step
from paretofarm.meter import NO_METER
from paretofarm.phone_health import HealthRules

SERIAL = "LAB1"
BLOCK_TIMEOUT_S = 2.0
ENVIRONMENT = {"PARETOFARM_BLOCK_TIMEOUT_SECONDS": str(BLOCK_TIMEOUT_S)}
QUICK = {"retry_s": 0.05, "settle_s": 0.2, "boot_limit_s": 20.0, "steady_s": 0.5, "max_steady_s": 3.0}
STEADY = {"": "steady: 0.002"}
"""Runners that say so at once and compute nothing: what is tested here is not what they measure."""
MEASUREMENT = {
    "runtime": "onnxruntime",
    "min_block_s": 0,
    "min_inferences": 5,
    "warmup_inferences": 1,
    "max_relative_ci": 0.9,
    "max_blocks": 4,
    "max_reference_shift": 1.0,
}


@dataclass
class Lab:
    """strikes: what befalls the phone, by how many observations were made during measurements before."""

    database: Database
    store: ArtifactStore
    root: Path
    virtual: VirtualPhone
    wire: FaultProxy
    phone: Phone
    guard: Guard
    measurer: Measurer
    networks: list[str] = field(default_factory=list)
    strikes: dict[int, Callable[[], object]] = field(default_factory=dict)
    observations: int = 0
    opened: int = 0
    working: bool = False

    def change(self, **state: object) -> None:
        change_state(self.root, **state)

    def let_runners(self, what: str, network: str = "", *, until_reboot: bool = False) -> None:
        """Misbehave, all of them or with one network."""
        runner = {network: what, **STEADY} if network else {network: what}
        self.change(runner=runner, after_reboot={"runner": STEADY} if until_reboot else {})

    def run(self, *, until: Callable[[], bool] | None = None, limit_s: float = 120.0) -> None:
        """Works until nothing is open any more, or until then."""
        work = self.guard.guarded(self._struck, WorkKind.MEASUREMENT)
        deadline = time.monotonic() + limit_s
        while not (until() if until else not self.open_evaluations()):
            assert time.monotonic() < deadline, (self.state(), self.outcomes(), self.seen())
            if self.guard.health.look() is not None:
                time.sleep(0.02)
                continue
            with self.database.transaction() as session:
                due = dispatch.due(session, limit=1, resend_s=3600)
            for message in due:
                self.opened += 1
                perform(self.database, message.evaluation_id, message.attempt, owner=SERIAL, lease_s=60, work=work)

    def _struck(self, claim, keeper) -> Report:  # type: ignore[no-untyped-def]
        self.working = True
        try:
            return self.measurer.measure(claim, keeper)
        finally:
            self.working = False

    def observed(self, conditions: Conditions) -> None:
        """Called whenever the phone has said how it is: before a measurement, and after each of its blocks."""
        if self.working:
            self.observations += 1
            strike = self.strikes.pop(self.observations, None)
            if strike is not None:
                strike()

    def state(self) -> PhoneState:
        return self.known().state

    def known(self) -> phones.Phone:
        with self.database.transaction() as session:
            return next(each for each in phones.list_phones(session) if each.facts.serial == SERIAL)

    def open_evaluations(self) -> int:
        with self.database.transaction() as session:
            query = select(func.count()).where(EvaluationRow.status.in_(["queued", "leased"]))
            return session.scalar(query.where(EvaluationRow.stage == Stage.MEASURE)) or 0

    def outcomes(self) -> list[tuple[EvaluationStatus, int, str | None]]:
        """Status, failed attempts and error of each measurement, oldest first."""
        columns = (EvaluationRow.status, EvaluationRow.failures, EvaluationRow.code)
        with self.database.transaction() as session:
            query = select(*columns).where(EvaluationRow.stage == Stage.MEASURE).order_by(EvaluationRow.id)
            return [(row[0], row[1], row[2]) for row in session.execute(query)]

    def measurements(self) -> list[MeasurementRow]:
        with self.database.transaction() as session:
            return list(session.scalars(select(MeasurementRow).order_by(MeasurementRow.id)))

    def seen(self, kind: events.EventKind | None = None) -> list[Event]:
        with self.database.transaction() as session:
            found = events.tail(session, limit=1000)
        return [event for event in found if kind in (None, event.kind)]

    def failures(self) -> list[str]:
        """Errors of attempts that counted, but for noise: other tests run on this machine too."""
        again = self.seen(events.EventKind.EVALUATION_REQUEUED)
        return [event.details["code"] for event in again if event.details["code"] != "NoisyMeasurement"]

    def blamed(self) -> list[str]:
        return [event.details["blamed"] for event in self.seen(events.EventKind.MEASUREMENT_FAILED)]

    def handed_back(self) -> int:
        return len(self.seen(events.EventKind.EVALUATION_HANDED_BACK))

    def unplug(self) -> None:
        """The phone is off at once; `plug` has it back, at the same address."""
        self.virtual.stop()

    def plug(self) -> None:
        self.virtual = VirtualPhone(self.root, serial=SERIAL, port=self.virtual.port, boot_s=0.1)
        self.virtual.start()

    def new_agent(self) -> None:
        """As if the agent had been killed and started anew."""
        self.phone.link.close()
        self.phone = Phone(open_link(self.wire.address, self.root.parent / "adbkey", authorization_wait_s=0.2))
        self.phone.prepare()
        self.measurer = replace(self.measurer, phone=self.phone)
        self.guard = guard_of(self.phone, self.measurer, self.database, self.store)
        watch(self)


@contextmanager
def lab(database: Database, folder: Path, *, candidates_: int = 2, keys: list[Path] | None = None) -> Iterator[Lab]:
    """keys: of computers that the phone lets in; None: it lets in everybody."""
    virtual = VirtualPhone(folder / "root", serial=SERIAL, boot_s=0.1, authorized_keys=keys)
    change_state(install(folder / "root"), runner=STEADY)
    with virtual, FaultProxy(virtual.address) as wire:
        phone = Phone(open_link(wire.address, folder / "adbkey", authorization_wait_s=0.2))
        phone.prepare()
        store = ArtifactStore((folder / "artifacts").as_uri(), folder / "cache")
        measurer = measurer_of(phone, database, store)
        guard = guard_of(phone, measurer, database, store)
        made = Lab(database, store, virtual.root, virtual, wire, phone, guard, measurer)
        made.networks = [compiled(made, folder, number) for number in range(candidates_)]
        watch(made)
        try:
            yield made
        finally:
            made.phone.link.close()
            made.virtual.stop()


def install(root: Path) -> Path:
    install_firmware(root, SERIAL)
    return root


def watch(lab: Lab) -> None:
    told = lab.phone.on_conditions

    def both(conditions: Conditions) -> None:
        told(conditions)
        lab.observed(conditions)

    lab.phone.on_conditions = both


def measurer_of(phone: Phone, database: Database, store: ArtifactStore) -> Measurer:
    identity = phone.identify()
    facts = PhoneFacts(identity.serial, "virtual", "here", True, build_fingerprint=identity.fingerprint)
    with database.transaction() as session:
        phone_id = phones.register(session, facts, agent=SERIAL)
    metrics = PhoneMetrics(NO_METER, "virtual")
    environment = {**os.environ, **ENVIRONMENT}
    return Measurer(phone, phone_id, "virtual", True, database, store, environment, metrics)


def guard_of(phone: Phone, measurer: Measurer, database: Database, store: ArtifactStore) -> Guard:
    guard = care_for(
        phone,
        phone.identify(),
        phone_id=measurer.phone_id,
        database=database,
        store=store,
        environment=measurer.environment,
        metrics=measurer.metrics,
        stopping=measurer.stopping,
        on_new_build=lambda identity: measurer.usual_pace.forget(),
    )
    guard.health.rules = quick(guard.health.rules)
    return guard


def quick(rules: HealthRules, **changes: float) -> HealthRules:
    patient: Mapping[str, float] = {**QUICK, **changes}
    return replace(rules, **patient)  # type: ignore[arg-type]


def compiled(lab: Lab, folder: Path, number: int) -> str:
    """A candidate whose network lies in the store, its measurement queued; the network's SHA-256."""
    network = lab.store.put_file(tiny_network(folder / f"{number}.onnx", number), "network")
    with lab.database.transaction() as session:
        search = store_experiment(session, measurement=MEASUREMENT)
        [candidate_id] = store_candidates(session, search.id)
        compile, measure = (Step(stage, device="virtual") for stage in (Stage.COMPILE, Stage.MEASURE))
        candidates.queue(session, candidate_id, [compile])
        open_ids = select(EvaluationRow.id).where(EvaluationRow.candidate_id == candidate_id)
        for evaluation_id in session.scalars(open_ids.order_by(EvaluationRow.id)).all():
            claim = leases.claim(session, evaluation_id, 1, owner="worker", lease_s=60)
            assert claim is not None
            artifacts = [network] if claim.step.stage is Stage.COMPILE else []
            leases.report(session, claim, Report(artifacts=artifacts))
        candidates.queue(session, candidate_id, [measure])
    return network.sha256


def tiny_network(path: Path, seed: int) -> Path:
    """A convolution on 48x48 pixels."""
    weights = np.random.default_rng(seed).random((8, 3, 3, 3), dtype=np.float32)
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 48, 48])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "net", [image], [out], [numpy_helper.from_array(weights, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def soon(action: Callable[[], object], after_s: float) -> None:
    """From another thread; it dies with the test."""
    timer = threading.Timer(after_s, action)
    timer.daemon = True
    timer.start()


def awaited(condition: Callable[[], bool], what: str) -> None:
    wait_until(condition, 10, what)
