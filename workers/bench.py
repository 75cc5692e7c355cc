"""Where a worker's jobs are done: turns a claim into a job for the fork server, and its result into a report."""

import logging
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from db.artifacts import ArtifactStore, StoredArtifact
from db.claim import Claim
from db.report import EpochMetrics, Report
from db.session import Database
from db.table_files import TableFiles
from db.teacher import first_trained
from db.work import HandedBack, LeaseKeeper
from paretofarm import instruments
from paretofarm.errors import LeaseLost
from paretofarm.lifecycle import Stage
from paretofarm.meter import NO_METER, Meter
from paretofarm.settings import Settings
from paretofarm.training import NetworkTraining
from workers.artifact_kinds import CHECKPOINT, NETWORK, ONNX, REFERENCE, TEST_SET, TRAINED_NETWORK, TRAINED_ONNX
from workers.epoch_log import EpochLog
from workers.gpu import Gpu
from workers.gpu_trainings import GpuTrainings
from workers.isolation import ForkServer, IsolatedJob
from workers.memory_needs import PeakMemory
from workers.tabular import look_up

log = logging.getLogger(__name__)

Parameters = dict[str, Any]
Message = Mapping[str, Any]
OnEpoch = Callable[[EpochMetrics], None]
OnMemory = Callable[[PeakMemory], None]

CHECKPOINT_FILE = "checkpoint.pt"

TRAINING_DETAILS = ("per_class", "class_names", "micro_batch", "memory")
TIME_LIMIT_S = {Stage.BUILD: 600.0, Stage.COMPILE: 1800.0, Stage.TRAIN: 7 * 24 * 3600.0}


class Bench:
    """A worker's fork server, database and artifact store. Jobs of several threads run side by side, `slots` at most.

    gpus: what it trains on; none: on the CPU.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        name: str,
        nice: int = 0,
        meter: Meter = NO_METER,
        slots: int = 1,
        gpus: Sequence[Gpu] = (),
    ) -> None:
        self.settings = settings
        self.meter = meter
        self.database = Database(settings.database_url)
        self.owner = f"{name}@{socket.gethostname()}-{os.getpid()}"
        self._store = ArtifactStore(settings.artifacts, settings.cache)
        self._tables = TableFiles()
        self._server = ForkServer(nice=nice)
        self._gpus = GpuTrainings(gpus, slots=slots, meter=meter) if gpus else None
        self._running: set[IsolatedJob] = set()
        self._lock = threading.Lock()
        self._stopping = False

    def start(self) -> None:
        """Lets the fork server warm up in the background."""
        self._server.start()

    def stop(self) -> None:
        """Kills what is running; its evaluations are handed back."""
        with self._lock:
            self._stopping = True
            running = list(self._running)
        for job in running:
            job.cancel()
        if self._gpus is not None:
            self._gpus.wake()

    def close(self) -> None:
        self._server.stop()
        self.database.dispose()

    def work(self, claim: Claim, keeper: LeaseKeeper) -> Report:
        """Does whatever stage the claim is about; the work of `db.work.perform`."""
        if claim.experiment.is_tabular:
            return look_up(claim, self._tables)
        stages: Mapping[Stage, Callable[[Claim, LeaseKeeper, Path], Report]] = {
            Stage.BUILD: self._build,
            Stage.COMPILE: self._compile,
            Stage.TRAIN: self._train,
        }
        folder = Path(tempfile.mkdtemp(prefix=f"paretofarm-{claim.evaluation_id}-"))
        try:
            return stages[claim.step.stage](claim, keeper, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _build(self, claim: Claim, keeper: LeaseKeeper, folder: Path) -> Report:
        constraints = [constraint.model_dump(mode="json") for constraint in claim.experiment.constraints]
        parameters = {**_network(claim), "constraints": constraints, "out": str(folder)}
        result = self._run(claim, keeper, "build", parameters)
        artifacts = [self._store.put_file(Path(result["onnx"]), ONNX)] if result["onnx"] else []
        return Report(metrics=result["metrics"], artifacts=artifacts)

    def _compile(self, claim: Claim, keeper: LeaseKeeper, folder: Path) -> Report:
        if claim.step.rung is not None:
            return self._compile_trained(claim, keeper, folder)
        result = self._run(claim, keeper, "compile", self._compilation(claim, ONNX, folder))
        paths = {NETWORK: result["network"], REFERENCE: result["reference"]}
        return Report(metrics=result["metrics"], artifacts=self._put(paths), details=result["notes"])

    def _compile_trained(self, claim: Claim, keeper: LeaseKeeper, folder: Path) -> Report:
        """Reports no metric: what the first compilation told of the device class stays true."""
        result = self._run(claim, keeper, "compile_trained", self._compilation(claim, TRAINED_ONNX, folder))
        network, reference, test_set = (result[name] for name in ("network", "reference", "test_set"))
        paths = {TRAINED_NETWORK: network, REFERENCE: reference, TEST_SET: test_set}
        return Report(artifacts=self._put(paths), details=result["notes"])

    def _compilation(self, claim: Claim, source: str, folder: Path) -> Parameters:
        """source: kind of the artifact to compile."""
        assert claim.experiment.measurement is not None, "an experiment that names devices has measurement settings"
        return {
            "onnx": str(self._store.fetch(claim.artifact(source))),
            "measurement": claim.experiment.measurement.model_dump(mode="json"),
            "device": claim.step.device,
            "dataset": _dataset(claim),
            "cache": str(self.settings.cache),
            "out": str(folder),
        }

    def _checkpoint(self, claim: Claim) -> str | None:
        """The newest: of the rung below, or of an earlier attempt at this one."""
        if not claim.step.rung and all(artifact.kind != CHECKPOINT for artifact in claim.artifacts):
            return None
        return str(self._store.fetch(claim.artifact(CHECKPOINT)))

    def _teacher(self, claim: Claim, training: NetworkTraining) -> Parameters:
        """The search's first network teaches the others, once it is complete; where it never is, nobody does."""
        if training.distillation is None or claim.number == 0:
            return {}
        with self.database.transaction() as session:
            found = first_trained(session, claim.experiment_id, CHECKPOINT)
        if found is None:
            log.warning("candidate %s has no teacher: the search's first network is not complete", claim.number)
            return {}
        return {
            "teacher": found.architecture.to_dict(),
            "teacher_checkpoint": str(self._store.fetch(found.artifact)),
        }

    def _put(self, paths: Mapping[str, str | None]) -> list[StoredArtifact]:
        """Stores files by kind, those that there are."""
        return [self._store.put_file(Path(path), kind) for kind, path in paths.items() if path]

    def _train(self, claim: Claim, keeper: LeaseKeeper, folder: Path) -> Report:
        training, rung = _training(claim), claim.step.rung or 0
        parameters = {
            **_network(claim),
            "training": training.model_dump(mode="json"),
            "rung": rung,
            "checkpoint": self._checkpoint(claim),
            **self._teacher(claim, training),
            "device": "cpu",
            "cache": str(self.settings.cache),
            "out": str(folder),
        }
        every_s = self.settings.checkpoint_s
        epochs = EpochLog(self.database, self._store, claim, folder / CHECKPOINT_FILE, every_s=every_s)
        result = self._run_training(claim, keeper, parameters, epochs.note)
        checkpoint = self._store.put_file(Path(result["checkpoint"]), CHECKPOINT)
        self.meter.observe(instruments.CHECKPOINT_BYTES, checkpoint.size_bytes)
        return Report(
            metrics=result["metrics"],
            artifacts=[checkpoint, self._store.put_file(Path(result["onnx"]), TRAINED_ONNX)],
            # Once more, with the result: one that was trained while the database was away is in there too.
            epochs=epochs.epochs,
            details={name: result[name] for name in TRAINING_DETAILS if result[name] is not None},
        )

    def _run_training(
        self, claim: Claim, keeper: LeaseKeeper, parameters: Parameters, on_epoch: OnEpoch
    ) -> dict[str, Any]:
        if self._gpus is None:
            return self._run(claim, keeper, "train", parameters, on_epoch)

        def run(changes: Parameters, on_memory: OnMemory) -> dict[str, Any]:
            checkpoint = Path(parameters["out"], CHECKPOINT_FILE)
            resumed = {"checkpoint": str(checkpoint)} if checkpoint.exists() else {}
            return self._run(claim, keeper, "train", {**parameters, **resumed, **changes}, on_epoch, on_memory)

        def check() -> None:
            if self._stopping:
                raise HandedBack
            if keeper.lost.is_set():
                raise LeaseLost

        estimate = self._run(claim, keeper, "footprint", parameters)["bytes"]
        return self._gpus.run(f"candidate {claim.number}", claim.experiment_id, estimate, run, check)

    def _run(
        self,
        claim: Claim,
        keeper: LeaseKeeper,
        function: str,
        parameters: Parameters,
        on_epoch: OnEpoch = lambda epoch: None,
        on_memory: OnMemory = lambda peak: None,
    ) -> dict[str, Any]:
        """Runs one isolated job under the lease; HandedBack where the worker is told to stop meanwhile."""
        with self._job(function, parameters) as job:
            keeper.on_lost = job.cancel
            try:
                note = partial(self._note, keeper, on_epoch, on_memory)
                return job.run(note, TIME_LIMIT_S[claim.step.stage])
            except Exception:
                if self._stopping:
                    raise HandedBack from None
                raise

    @contextmanager
    def _job(self, function: str, parameters: Parameters) -> Iterator[IsolatedJob]:
        with self._lock:
            if self._stopping:
                raise HandedBack
            job = self._server.submit({"function": function, "parameters": parameters})
            self._running.add(job)
        try:
            yield job
        finally:
            with self._lock:
                self._running.discard(job)

    def _note(self, keeper: LeaseKeeper, on_epoch: OnEpoch, on_memory: OnMemory, message: Message) -> None:
        """Progress goes with the next heartbeat, an epoch into the database at once."""
        if message["type"] == "progress":
            keeper.progress(message["share"])
        elif message["type"] == "epoch":
            epoch = EpochMetrics(message["epoch"], message["train_loss"], message["seconds"], message["metrics"])
            # Counted here since the job's own process is gone before anybody could ask it.
            self.meter.add(instruments.TRAINED_IMAGES, message["images"])
            self.meter.observe(instruments.EPOCH_SECONDS, epoch.duration_s)
            if message["memory"] is not None:
                on_memory(PeakMemory(**message["memory"]))
            on_epoch(epoch)


def _network(claim: Claim) -> Parameters:
    """What names a network completely. The seed is the candidate's own: trained anywhere, it comes out the same."""
    return {
        "space": claim.experiment.search_space.model_dump(mode="json"),
        "architecture": claim.architecture.to_dict(),
        "dataset": _dataset(claim),
        "seed": claim.experiment.seed + claim.number,
    }


def _dataset(claim: Claim) -> Parameters | None:
    training = claim.experiment.training
    return training.dataset.model_dump(mode="json") if training and training.dataset else None


def _training(claim: Claim) -> NetworkTraining:
    training = claim.experiment.training
    assert isinstance(training, NetworkTraining), "an experiment with trained metrics has training settings"
    return training
