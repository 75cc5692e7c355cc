"""Does one measure evaluation on the agent's phone: fetch, push, time, judge, report."""

import hashlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from db import phones
from db.artifacts import ArtifactStore
from db.claim import Claim
from db.report import MeasurementRecord, Report
from db.session import Database
from db.work import HandedBack, LeaseKeeper
from device_agents.conditions import Conditions, disturbance
from device_agents.measurement import Measured, Measurement
from device_agents.metrics import PhoneMetrics
from device_agents.phone import Phone
from device_agents.runtimes import DeviceRuntime, InstalledNetwork, device_runtime
from device_agents.usual_pace import UsualPace
from paretofarm.errors import LeaseLost, NoisyMeasurement, PhoneOverheated, Unavailable
from paretofarm.lifecycle import MAX_NOISY_ATTEMPTS
from paretofarm.measurement import PROTOCOL_VERSION
from paretofarm.runtimes import MeasurementSettings

log = logging.getLogger(__name__)

NETWORK_KIND = "network"
REFERENCE_KIND = "reference"
"""Kinds of the artifacts that the compile stage leaves for a device class: always the candidate's network, and the
reference network where it has to be compiled for the device."""


@dataclass(frozen=True)
class Measurer:
    """What an agent needs in order to measure: its phone, the database, the artifacts."""

    phone: Phone
    phone_id: int
    device: str
    simulated: bool
    database: Database
    store: ArtifactStore
    environment: Mapping[str, str]
    metrics: PhoneMetrics
    stopping: threading.Event = field(default_factory=threading.Event)
    usual_pace: UsualPace = field(default_factory=UsualPace)

    def stop(self) -> None:
        """Gives up what is being measured, at once; the evaluation is handed back. Safe in a signal handler."""
        self.stopping.set()
        self.phone.link.interrupt()

    def measure(self, claim: Claim, keeper: LeaseKeeper) -> Report:
        """Measures the candidate's compiled network; the work of `db.work.perform`."""
        try:
            return self._measure(claim, keeper)
        except Unavailable:
            if self.stopping.is_set():
                raise HandedBack from None
            raise

    def _measure(self, claim: Claim, keeper: LeaseKeeper) -> Report:
        artifact = claim.artifact(NETWORK_KIND, self.device)
        network = self.store.fetch(artifact)
        folder = self.phone.job_folder(f"{claim.evaluation_id}-{claim.attempt}")
        try:
            return _report(self._record(claim, keeper, network, artifact.sha256, folder))
        finally:
            self._clean(folder)

    def _record(self, claim: Claim, keeper: LeaseKeeper, network: Path, sha256: str, folder: str) -> MeasurementRecord:
        settings = _settings(claim)
        before = self._ready()
        runtime = device_runtime(settings, self.environment)
        runner = runtime.prepare(self.phone.link)
        watch = _Watch(self.phone, keeper, self.stopping, before)
        measurement = Measurement(
            link=self.phone.link,
            runtime=runtime,
            settings=settings,
            network=self._install(runtime, network, sha256),
            reference=self._install_reference(runtime, claim),
            folder=folder,
            disturbance=watch.disturbance,
        )
        measured = self._run(measurement, keeper)
        self.metrics.note_measured(measured)
        self._require_quiet(claim, measured)
        return MeasurementRecord(
            phone_id=self.phone_id,
            network_sha256=sha256,
            runtime=settings.runtime,
            protocol=PROTOCOL_VERSION,
            blocks=measured.blocks,
            summary=measured.summary,
            conditions={"before": before.to_dict(), "after": watch.last.to_dict(), "runner": runner},
            simulated=self.simulated,
        )

    def _run(self, measurement: Measurement, keeper: LeaseKeeper) -> Measured:
        key = measurement.settings.protocol_key
        usual = self.usual_pace.of(key, measurement.reference_pace_ms)
        measured = measurement.run(self._baseline(measurement, usual), usual, keeper.progress)
        self.usual_pace.note(key, measured.summary.reference_ms)
        return measured

    def _install_reference(self, runtime: DeviceRuntime, claim: Claim) -> InstalledNetwork:
        local = runtime.reference()
        if local is None:
            artifact = claim.artifact(REFERENCE_KIND, self.device)
            return self._install(runtime, self.store.fetch(artifact), artifact.sha256)
        return self._install(runtime, local, hashlib.sha256(local.read_bytes()).hexdigest())

    def _install(self, runtime: DeviceRuntime, local: Path, sha256: str) -> InstalledNetwork:
        with TemporaryDirectory(prefix="paretofarm-install-") as folder:
            return InstalledNetwork(local, self.phone.put_network(runtime.files(local, Path(folder)), sha256))

    def _baseline(self, measurement: Measurement, usual_ms: float) -> float:
        """The device class's baseline of the reference; the first phone to ask for it sets it to its own pace."""
        reference = measurement.reference.folder.rsplit("/", 1)[-1]
        key = measurement.settings.protocol_key
        with self.database.transaction() as session:
            known = phones.baseline(session, self.device, reference, key)
            if known is not None:
                return known
            return phones.store_baseline(session, self.device, reference, key, usual_ms)

    def _ready(self) -> Conditions:
        conditions = self.phone.conditions()
        problem = self.phone.judge(conditions)
        if problem is not None:
            raise problem
        return conditions

    def _require_quiet(self, claim: Claim, measured: Measured) -> None:
        """A noisy measurement is repeated; the last one allowed is kept, flagged."""
        if measured.summary.noisy and claim.failures + 1 < MAX_NOISY_ATTEMPTS:
            raise NoisyMeasurement(_noise(measured))

    def _clean(self, folder: str) -> None:
        """A phone that is gone keeps its rubbish; the next start of an agent sweeps it."""
        try:
            self.phone.remove(folder)
        except Unavailable as error:
            log.warning("%s is left behind: %s", folder, error)


class _Watch:
    """Looks at the phone after every block, and whether to go on at all."""

    def __init__(self, phone: Phone, keeper: LeaseKeeper, stopping: threading.Event, before: Conditions) -> None:
        self.last = before
        self._beyond = False
        self._phone = phone
        self._keeper = keeper
        self._stopping = stopping

    def disturbance(self) -> str | None:
        if self._keeper.lost.is_set():
            raise LeaseLost
        if self._stopping.is_set():
            raise HandedBack
        previous, self.last = self.last, self._phone.conditions()
        return self._gate() or disturbance(previous, self.last)

    def _gate(self) -> str | None:
        """A block beyond the limits does not count; a phone that stays there is not measured on. A moment's heat may
        be the network's own.
        """
        problem = self._phone.judge(self.last)
        if problem is not None and (self._beyond or not isinstance(problem, PhoneOverheated)):
            raise problem
        self._beyond = problem is not None
        return None if problem is None else str(problem)


def _settings(claim: Claim) -> MeasurementSettings:
    settings = claim.experiment.measurement
    assert settings is not None, "an experiment that names devices has measurement settings"
    return settings


def _noise(measured: Measured) -> str:
    blocks, summary = len(measured.blocks), measured.summary
    if summary.discarded:
        return f"{summary.discarded} of {blocks} blocks did not count; interval ± {summary.relative_ci:.1%}"
    return f"the interval is ± {summary.relative_ci:.1%} after {blocks} blocks"


def _report(record: MeasurementRecord) -> Report:
    summary = record.summary
    return Report(
        metrics={"latency_ms": summary.latency_ms, "latency_p90_ms": summary.p90_ms * _normalisation(record)},
        intervals={"latency_ms": (summary.low_ms, summary.high_ms)},
        measurement=record,
        details={"noisy": summary.noisy},
        simulated=record.simulated,
    )


def _normalisation(record: MeasurementRecord) -> float:
    """Brings a raw time to the baseline's pace, as the median was."""
    return 1 / record.summary.reference_ratio
