"""Does one measure evaluation on the agent's phone: fetch, push, time, judge, report."""

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from db import phones
from db.artifact import CandidateArtifact
from db.artifacts import ArtifactStore
from db.claim import Claim
from db.measured import reusable
from db.racing import is_repetition
from db.report import MeasurementRecord, Report
from db.session import Database
from db.work import HandedBack, LeaseKeeper
from device_agents.conditions import Conditions
from device_agents.energy import EnergySampler
from device_agents.measured_report import measured_report
from device_agents.measurement import Measured, Measurement
from device_agents.metrics import PhoneMetrics
from device_agents.phone import Phone
from device_agents.run_facts import run_facts
from device_agents.runtimes import DeviceRuntime, InstalledNetwork, device_runtime
from device_agents.sustained import SustainedRun
from device_agents.usual_pace import UsualPace
from device_agents.watch import Pause, Watch
from paretofarm.errors import LeaseLost, NoisyMeasurement, Unavailable
from paretofarm.lifecycle import MAX_NOISY_ATTEMPTS
from paretofarm.measurement import PROTOCOL_VERSION
from paretofarm.runtimes import MeasurementSettings

log = logging.getLogger(__name__)

Runtimes = Callable[[MeasurementSettings, Mapping[str, str]], DeviceRuntime]

NETWORK_KIND = "network"
TRAINED_NETWORK_KIND = "trained_network"
REFERENCE_KIND = "reference"
"""Kinds of the artifacts that the compile stage leaves for a device class: the candidate's network with random weights
and, as a rung has trained it, with others; and the reference network where it has to be compiled for the device."""


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
    runtimes: Runtimes = device_runtime

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
        settings = _settings(claim)
        runtime = self.runtimes(settings, self.environment)
        watch = Watch(self.phone.conditions, self.phone.judge, self._pause(keeper), self._ready())
        runner = runtime.prepare(self.phone.link)
        system = self.phone.identify().fingerprint
        job = _Job(claim, settings, runtime, runner, f"{settings.protocol_key}/{runner}/{system}", watch, keeper)
        known = self._known(job)
        if known is not None:
            log.info("candidate %s is not measured again: measurement %s stands", claim.number, known.reused_from)
            return measured_report(known)
        folder = self.phone.job_folder(f"{claim.evaluation_id}-{claim.attempt}")
        try:
            return measured_report(self._record(job, folder))
        finally:
            self._clean(folder)

    def _known(self, job: "_Job") -> MeasurementRecord | None:
        """What need not be measured again. A repetition is never answered so: it is there to see what was noisy."""
        if not job.settings.reuse or job.claim.failures:
            return None
        with self.database.transaction() as session:
            if is_repetition(session, job.claim.evaluation_id):
                return None
            return reusable(
                session,
                job.network.sha256,
                device=self.device,
                protocol_key=job.key,
                simulated=self.simulated,
                max_relative_ci=job.settings.max_relative_ci,
                sustained_s=job.settings.sustained_s,
            )

    def _record(self, job: "_Job", folder: str) -> MeasurementRecord:
        sampler = EnergySampler(self.phone.link, folder) if job.watch.first.powered is False else None
        measurement = self._measurement(job, folder, sampler)
        measured = self._run(measurement, job.keeper)
        self.metrics.note_measured(measured)
        self._require_quiet(job.claim, measured)
        details = {**_details(measured, sampler), **self._sustained(job, measurement, measured)}
        conditions = {"before": job.watch.first.to_dict(), "after": job.watch.last.to_dict(), "runner": job.runner}
        return MeasurementRecord(
            phone_id=self.phone_id,
            network_sha256=job.network.sha256,
            runtime=job.settings.runtime,
            protocol=PROTOCOL_VERSION,
            blocks=measured.blocks,
            summary=measured.summary,
            conditions=conditions,
            simulated=self.simulated,
            device=self.device,
            protocol_key=job.key,
            details=details,
        )

    def _measurement(self, job: "_Job", folder: str, sampler: EnergySampler | None) -> Measurement:
        artifact = job.network
        return Measurement(
            link=self.phone.link,
            runtime=job.runtime,
            settings=job.settings,
            network=self._install(job.runtime, self.store.fetch(artifact), artifact.sha256),
            reference=self._install_reference(job.runtime, job.claim),
            folder=folder,
            disturbance=job.watch.disturbance,
            rest=None if self.simulated else job.watch.pause,
            watching=nullcontext if sampler is None else sampler.watching,
        )

    def _run(self, measurement: Measurement, keeper: LeaseKeeper) -> Measured:
        key = measurement.settings.protocol_key
        pace = self.usual_pace.of if self.simulated else self.usual_pace.at_rest
        usual = pace(key, measurement.reference_pace_ms)
        measured = measurement.run(self._baseline(measurement, usual), usual, keeper.progress)
        self.usual_pace.note(key, measured.summary.reference_ms)
        return measured

    def _sustained(self, job: "_Job", measurement: Measurement, measured: Measured) -> dict[str, Any]:
        seconds = job.settings.sustained_s
        if not seconds:
            return {}
        run = SustainedRun(measurement.time_candidate, job.watch.conditions, job.keeper.progress)
        curve = run.run(seconds, measured.summary.raw_latency_ms)
        if curve.stopped is not None:
            log.warning("the sustained run ended after %.0f of %.0f s: %s", curve.ran_s, seconds, curve.stopped)
        return {"sustained": curve.to_dict()}

    def _pause(self, keeper: LeaseKeeper) -> Pause:
        def pause(seconds: float) -> None:
            if keeper.lost.is_set():
                raise LeaseLost
            if self.stopping.wait(seconds):
                raise HandedBack

        return pause

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


@dataclass(frozen=True)
class _Job:
    """One claim with all that is known before anything runs. key: under which its measurement may be used again."""

    claim: Claim
    settings: MeasurementSettings
    runtime: DeviceRuntime
    runner: str
    key: str
    watch: Watch
    keeper: LeaseKeeper

    @property
    def network(self) -> CandidateArtifact:
        kind = NETWORK_KIND if self.claim.step.rung is None else TRAINED_NETWORK_KIND
        return self.claim.artifact(kind, self.claim.step.device)


def _settings(claim: Claim) -> MeasurementSettings:
    settings = claim.experiment.measurement
    assert settings is not None, "an experiment that names devices has measurement settings"
    return settings


def _noise(measured: Measured) -> str:
    blocks, summary = len(measured.blocks), measured.summary
    if summary.discarded:
        return f"{summary.discarded} of {blocks} blocks did not count; interval ± {summary.relative_ci:.1%}"
    return f"the interval is ± {summary.relative_ci:.1%} after {blocks} blocks"


def _details(measured: Measured, sampler: EnergySampler | None) -> dict[str, Any]:
    power = None if sampler is None else sampler.power()
    energy = {} if power is None else {"energy": power.to_dict(measured.summary.raw_latency_ms)}
    rested = {"rested_s": measured.rested_s} if measured.rested_s else {}
    return {**run_facts(measured.times).to_dict(), **energy, **rested}
