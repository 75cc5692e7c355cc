"""Runs the reference network on a phone to show that the phone is as it always was."""

import hashlib
import logging
import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from db import reference_checks, upcoming
from db.artifacts import ArtifactStore
from db.reference_checks import History, ReferenceCheck
from db.session import Database
from device_agents.phone import Phone
from device_agents.runtimes import DeviceRuntime, InstalledNetwork, device_runtime
from paretofarm.errors import (
    AdbTimeout,
    ArtifactMissing,
    ArtifactStoreFull,
    ArtifactStoreUnavailable,
    ConfigError,
    DatabaseUnavailable,
    NotDeployable,
    PhoneOffline,
    RunnerFailed,
)
from paretofarm.ports import LinkState
from paretofarm.reference_band import band, complaint
from paretofarm.runtimes import MeasurementSettings, OnnxRuntimeMeasurement

log = logging.getLogger(__name__)

REFERENCE_KIND = "reference"
REFERENCE_SIDE = 192
"""Pixels; of `workers.reference_network`."""
BLOCKS = 3
PROBE = 5
MIN_INFERENCES = 10
MIN_BLOCK_S = 0.2
SIMULATED_SHARE = 3.0
"""By which a virtual phone's reference may differ: its machine has other things to do, and that is no defect."""


@dataclass(frozen=True)
class _Try:
    """failure: why it did not run to its end."""

    sha256: str
    latency_ms: float | None
    output: str | None
    failure: str | None = None


Runtimes = Callable[[MeasurementSettings, Mapping[str, str]], DeviceRuntime]


@dataclass(frozen=True)
class Outcome:
    """failure: what is wrong with the phone, or None; broken: the network did not run, or gave something else.

    ratio: its time as a multiple of the usual; None where it gave none, or nothing is usual yet.
    """

    failure: str | None
    broken: bool
    ratio: float | None


class ReferenceNetwork:
    """The reference of one phone. fingerprint: its build of Android, which may change under way.

    Runs under the settings of whatever was measured last, else of the newest search for this device class.
    """

    def __init__(
        self,
        phone: Phone,
        *,
        phone_id: int,
        device: str,
        fingerprint: str,
        simulated: bool,
        database: Database,
        store: ArtifactStore,
        environment: Mapping[str, str],
        min_share: float,
        runtimes: Runtimes = device_runtime,
    ) -> None:
        self.fingerprint = fingerprint
        self.settings: MeasurementSettings | None = None
        self._phone = phone
        self._phone_id = phone_id
        self._device = device
        self._simulated = simulated
        self._database = database
        self._store = store
        self._environment = environment
        self._min_share = SIMULATED_SHARE if simulated else min_share
        self._runtimes = runtimes

    def check(self) -> Outcome | None:
        """Runs it and keeps what came of it. None: nothing is there to be run, so that nothing is known.

        Errors: PhoneOffline and its like where the phone went away meanwhile; that says nothing about it.
        """
        settings = self.settings or self._newest_settings()
        try:
            runtime = self._runtimes(settings, self._environment)
            local = self._local(runtime)
            if local is None:
                return None
            key = f"{settings.protocol_key} {runtime.prepare(self._phone.link)}"
            return self._judged(self._tried(runtime, local), key)
        except (ConfigError, ArtifactMissing, ArtifactStoreUnavailable, ArtifactStoreFull) as error:
            log.info("no reference network runs on this phone: %s", error)
            return None

    def _tried(self, runtime: DeviceRuntime, local: Path) -> _Try:
        """Runs it on the phone."""
        sha256 = hashlib.sha256(local.read_bytes()).hexdigest()
        folder = self._phone.job_folder("reference")
        latency, output = None, None
        try:
            network = self._install(runtime, local, sha256)
            latency = self._latency_ms(runtime, network, folder)
            output = self._output(runtime, network, folder)
            self._phone.remove(folder)
        except (NotDeployable, RunnerFailed, AdbTimeout) as error:
            if self._phone.link.state() is not LinkState.ONLINE:
                raise PhoneOffline(f"the phone went away while it ran the reference network: {error}") from error
            return _Try(sha256, latency, output, f"the reference network does not run: {error}")
        return _Try(sha256, latency, output)

    def _judged(self, tried: _Try, key: str) -> Outcome:
        """Compared with what is usual, and kept."""
        history = self._history(tried.sha256, key)
        usual = band(history.latencies_ms, self._min_share)
        broken = tried.failure
        if broken is None and history.output_sha256 not in (None, tried.output):
            broken = "the reference network gives another output than it used to, or none"
        latency = tried.latency_ms
        failure = broken or (None if latency is None else complaint(latency, usual))
        check = ReferenceCheck(
            phone_id=self._phone_id,
            reference_sha256=tried.sha256,
            protocol_key=key,
            latency_ms=latency,
            baseline_ms=usual.median_ms if usual else None,
            output_sha256=tried.output,
            reason=failure,
            simulated=self._simulated,
            conditions={"fingerprint": self.fingerprint},
        )
        self._keep(check)
        ratio = latency / usual.median_ms if latency is not None and usual is not None else None
        return Outcome(failure, broken is not None, ratio)

    def _latency_ms(self, runtime: DeviceRuntime, network: InstalledNetwork, folder: str) -> float:
        def pace(inferences: int) -> float:
            times = runtime.time_block(self._phone.link, network, folder=folder, inferences=inferences)
            return statistics.median(times.samples_ms)

        inferences = max(MIN_INFERENCES, math.ceil(MIN_BLOCK_S * 1e3 / pace(PROBE)))
        return statistics.median(pace(inferences) for _ in range(BLOCKS))

    def _output(self, runtime: DeviceRuntime, network: InstalledNetwork, folder: str) -> str | None:
        """SHA-256 of what the network computes from an image that is always the same."""
        image = np.random.default_rng(0).random((1, 3, REFERENCE_SIDE, REFERENCE_SIDE), dtype=np.float32)
        try:
            logits = runtime.infer(self._phone.link, network, image, folder=folder)
        except (ConfigError, NotDeployable) as error:  # it has just been timed: the network itself does run
            log.info("no outputs of the reference network to compare: %s", error)
            return None
        return hashlib.sha256(np.ascontiguousarray(logits).tobytes()).hexdigest()

    def _install(self, runtime: DeviceRuntime, local: Path, sha256: str) -> InstalledNetwork:
        with TemporaryDirectory(prefix="paretofarm-install-") as folder:
            return InstalledNetwork(local, self._phone.put_network(runtime.files(local, Path(folder)), sha256))

    def _local(self, runtime: DeviceRuntime) -> Path | None:
        """Packaged with the runtime, or compiled for this device class by whoever compiled a candidate last."""
        packaged = runtime.reference()
        if packaged is not None:
            return packaged
        try:
            with self._database.transaction() as session:
                planned = upcoming.newest_network(session, self._device, REFERENCE_KIND)
        except DatabaseUnavailable as error:
            log.warning("no reference network: %s", error)
            return None
        return None if planned is None else self._store.fetch(planned.artifact)

    def _newest_settings(self) -> MeasurementSettings:
        try:
            with self._database.transaction() as session:
                found = upcoming.newest_settings(session, self._device)
        except (DatabaseUnavailable, ConfigError) as error:
            log.warning("no settings for the reference network: %s", error)
            found = None
        return found or OnnxRuntimeMeasurement(runtime="onnxruntime")

    def _history(self, sha256: str, protocol_key: str) -> History:
        names = {"reference_sha256": sha256, "protocol_key": protocol_key, "fingerprint": self.fingerprint}
        try:
            with self._database.transaction() as session:
                return reference_checks.history(session, self._phone_id, **names)
        except DatabaseUnavailable as error:
            log.warning("the reference network is compared with nothing: %s", error)
            return History()

    def _keep(self, check: ReferenceCheck) -> None:
        try:
            with self._database.transaction(durable=False) as session:
                reference_checks.store(session, check)
        except DatabaseUnavailable as error:
            log.warning("a reference check is not kept: %s", error)
