"""Does one score evaluation on the agent's phone: a test set through the trained network, batch by batch."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from db import leases
from db.artifacts import ArtifactStore
from db.claim import Claim
from db.report import Report
from db.session import Database
from db.work import HandedBack, LeaseKeeper
from device_agents.phone import Phone
from device_agents.runtimes import DeviceRuntime, InstalledNetwork, device_runtime
from device_agents.scored_network import ScoredNetwork, mapped
from paretofarm.errors import DatabaseUnavailable, LeaseLost, PhoneStorageFull, Unavailable
from paretofarm.labelled_images import LabelledImages
from paretofarm.partial_scores import PartialScores
from paretofarm.runtimes import MeasurementSettings
from paretofarm.score_batches import images_per_batch
from paretofarm.score_intervals import score_intervals
from paretofarm.scores import score_tally

log = logging.getLogger(__name__)

NETWORK_KIND = "trained_network"
TEST_SET_KIND = "test_set"
"""Kinds of the artifacts that the compilation of a trained network leaves for a device class."""
PARTIAL_KIND = "partial_scores"
"""What an attempt leaves for the next."""

Runtimes = Callable[[MeasurementSettings, Mapping[str, str]], DeviceRuntime]


@dataclass(frozen=True)
class Scorer:
    """What an agent needs in order to score: its phone, the database, the artifacts.

    stopping: set, and the link interrupted, when the agent is told to stop; the evaluation is then handed back.
    """

    phone: Phone
    serial: str
    device: str
    simulated: bool
    database: Database
    store: ArtifactStore
    environment: Mapping[str, str]
    stopping: threading.Event
    runtimes: Runtimes = device_runtime

    def score(self, claim: Claim, keeper: LeaseKeeper) -> Report:
        """Scores the candidate's trained network; the work of `db.work.perform`."""
        try:
            return self._score(claim, keeper)
        except Unavailable:
            if self.stopping.is_set():
                raise HandedBack from None
            raise

    def _score(self, claim: Claim, keeper: LeaseKeeper) -> Report:
        settings = claim.experiment.measurement
        assert settings is not None, "an experiment that names devices has measurement settings"
        network, test_set = (claim.artifact(kind, self.device) for kind in (NETWORK_KIND, TEST_SET_KIND))
        labelled = mapped(self.store.fetch(test_set))
        runtime = self.runtimes(settings, self.environment)
        runner = runtime.prepare(self.phone.link)
        installed = self._install(runtime, self.store.fetch(network), network.sha256, labelled.logits_shape)
        scored = ScoredNetwork(runtime, installed, labelled)
        fresh = PartialScores.none_yet(network.sha256, test_set.sha256, len(labelled.class_names))
        partial = begun = self._left_by_an_earlier_attempt(claim, fresh) or fresh
        with self._folder(f"{claim.evaluation_id}-{claim.attempt}") as folder:
            for grown in self._batches(scored, keeper, begun, folder):
                partial = grown
                self._leave_for_the_next_attempt(claim, partial)
                keeper.progress(partial.images / len(labelled))
        about = {"runtime": settings.runtime, "runner": runner, "resumed_after_images": begun.images}
        return self._report(partial, labelled, about, simulated=self.simulated or settings.simulated)

    def _batches(
        self, scored: ScoredNetwork, keeper: LeaseKeeper, partial: PartialScores, folder: str
    ) -> Iterator[PartialScores]:
        """What is known after each batch, that of before included."""
        total, pace_s = len(scored.labelled), None
        while partial.images < total:
            self._require_leave(keeper)
            size = min(self._batch_size(scored.labelled, folder, pace_s), total - partial.images)
            started = time.monotonic()
            tallies = scored.tallies(self.phone.link, partial.images, partial.images + size, folder=folder)
            pace_s = (time.monotonic() - started) / size
            partial = partial.plus(tallies)
            yield partial

    def _batch_size(self, labelled: LabelledImages, folder: str, pace_s: float | None) -> int:
        free = self.phone.link.free_bytes(folder)
        outputs = len(labelled.class_names) * labelled.labels[0].size
        inputs = labelled.images[0].size
        size = images_per_batch(inputs=inputs, outputs=outputs, free_bytes=free, seconds_per_image=pace_s)
        if size == 0:
            raise PhoneStorageFull(f"{self.serial}: {free} free bytes are too few to score even one image")
        return size

    def _require_leave(self, keeper: LeaseKeeper) -> None:
        if keeper.lost.is_set():
            raise LeaseLost
        if self.stopping.is_set():
            raise HandedBack

    def _install(
        self, runtime: DeviceRuntime, local: Path, sha256: str, output: tuple[int, int, int]
    ) -> InstalledNetwork:
        with TemporaryDirectory(prefix="paretofarm-install-") as folder:
            return InstalledNetwork(local, self.phone.put_network(runtime.files(local, Path(folder)), sha256), output)

    @contextmanager
    def _folder(self, name: str) -> Iterator[str]:
        """On the phone, of this job alone. A phone that is gone keeps it until an agent starts on it again."""
        folder = self.phone.job_folder(name)
        try:
            yield folder
        finally:
            try:
                self.phone.remove(folder)
            except Unavailable as error:
                log.warning("%s is left behind: %s", folder, error)

    def _left_by_an_earlier_attempt(self, claim: Claim, fresh: PartialScores) -> PartialScores | None:
        """None where there is nothing that could be gone on from: then it begins anew."""
        found = [each for each in claim.artifacts if (each.kind, each.device) == (PARTIAL_KIND, self.device)]
        try:
            partial = PartialScores.from_json(self.store.fetch(found[0]).read_bytes()) if found else None
        except (Unavailable, OSError, ValueError) as error:
            log.warning("candidate %s is scored from the start: %s", claim.number, error)
            return None
        if partial is None or not partial.continues(fresh):
            return None
        log.info("candidate %s: %s images are scored already", claim.number, partial.images)
        return partial

    def _leave_for_the_next_attempt(self, claim: Claim, partial: PartialScores) -> None:
        try:
            kept = self.store.put_bytes(partial.to_json(), PARTIAL_KIND)
            with self.database.transaction(durable=False) as session:
                leases.attach(session, claim, [kept])
        except (DatabaseUnavailable, Unavailable) as error:
            log.warning("that %s images are scored is not kept: %s", partial.images, error)

    def _report(
        self, partial: PartialScores, labelled: LabelledImages, about: Mapping[str, object], *, simulated: bool
    ) -> Report:
        scores = score_tally(partial.tallies.sum(axis=0), labelled.class_names)
        intervals = score_intervals(partial.tallies, np.random.default_rng(0), labelled.task)
        return Report(
            metrics={f"device_{name}": value for name, value in scores.overall(labelled.task).items()},
            intervals={f"device_{name}": interval for name, interval in intervals.items()},
            details={
                **about,
                "images": partial.images,
                "phone": self.serial,
                "simulated": simulated,
                "network_sha256": partial.network,
                "test_set_sha256": partial.test_set,
                "per_class": {name: each and asdict(each) for name, each in scores.per_class.items()},
            },
            simulated=simulated,
        )
