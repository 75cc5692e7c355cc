"""A search during which every kind of process is killed with `kill -9`: nothing is lost, nothing recorded twice."""

import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
from services import wait_until
from sqlalchemy import func, select

from cli.local_farm import Farm, embedded_farm
from cli.stack_processes import Crew
from db import experiments
from db.events import EventKind
from db.experiments import ExperimentStatus
from db.session import Database
from db.tables import CandidateRow, EvaluationRow, EventRow, MeasurementRow, TrainingMetricsRow
from paretofarm.errors import DatabaseUnavailable
from paretofarm.experiment import parse_experiment
from paretofarm.lifecycle import CandidateStatus, EvaluationStatus, Stage
from workers.datasets.faces import write_faces

CANDIDATES = 8
EPOCHS = [1, 2]
TIME_LIMIT_S = 240.0


def document(faces: Path) -> dict[str, object]:
    return {
        "name": "survivor",
        "seed": 3,
        "search_space": {
            "type": "hourglass",
            "input_size": 32,
            "base_channels": [8, 16],
            "hourglasses": [1],
            "downsample_blocks": 3,
            "downsample_layers": [1, 2],
            "channel_expansions": [1, 1.5],
            "skip_layers": [0, 1],
            "upsample_layers": [1],
            "post_upsample_layers": [0],
            "ops": ["conv3x3", "conv5x5"],
        },
        "algorithm": {"type": "evolution_pareto", "initial": 4},
        "objectives": [
            {"name": "miou", "goal": "maximize"},
            {"name": "latency_ms", "goal": "minimize", "device": "virtual"},
        ],
        "training": {
            "type": "segmentation",
            "dataset": {"type": "face_synthetics", "path": str(faces), "size": 32},
            "epochs": EPOCHS,
            "learning_rate": 3e-3,
        },
        "measurement": {
            "runtime": "onnxruntime",
            "max_relative_ci": 0.2,
            "min_block_s": 0.1,
            "max_blocks": 3,
            "calibration_images": 4,
        },
        "stop": {"candidates": CANDIDATES},
        "in_flight": 4,
    }


class Search:
    """The running search as the test sees it."""

    def __init__(self, farm: Farm, experiment_id: int) -> None:
        self.farm = farm
        self.id = experiment_id
        self.database = Database(farm.settings.database_url)

    def count(self, stage: Stage, *statuses: EvaluationStatus) -> int:
        query = select(func.count()).where(EvaluationRow.stage == stage, EvaluationRow.status.in_(statuses))
        with self.database.transaction() as session:
            return session.scalar(query) or 0

    def is_finished(self) -> bool:
        try:
            with self.database.transaction() as session:
                return experiments.get(session, self.id).status is ExperimentStatus.FINISHED
        except DatabaseUnavailable:
            return False

    def pid(self, service: str) -> int:
        return next(status.pid or 0 for status in self.farm.stack.services() if status.name == service)

    def kill(self, service: str) -> None:
        """`kill -9`, and waits for its successor."""
        pid = self.pid(service)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.pid(service) not in (0, pid), 30, f"a successor of {service}")

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        wait_until(lambda: condition() or self.is_finished(), TIME_LIMIT_S, what)


@contextmanager
def running_search(
    folder: Path, *, settings: Mapping[str, str] = MappingProxyType({}), **overrides: object
) -> Iterator[Search]:
    """Overrides replace keys of the experiment file; settings are variables of the environment."""
    write_faces(folder / "faces", 160, 32, 1)
    environment = {
        **os.environ,
        "PARETOFARM_DATA": str(folder / "data"),
        "PARETOFARM_LEASE_SECONDS": "6",
        "PARETOFARM_RESEND_SECONDS": "3",
        **settings,
    }
    with embedded_farm(environment, Crew(workers=2, phones=1)) as farm:
        database = Database(farm.settings.database_url)
        with database.transaction() as session:
            experiment = parse_experiment({**document(folder / "faces"), **overrides}, "survivor")
            experiment_id = experiments.create(session, experiment, source="", code_version="test")
        database.dispose()
        search = Search(farm, experiment_id)
        try:
            yield search
        finally:
            search.database.dispose()


@pytest.fixture(scope="module")
def survivor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    """A search that has finished although all its processes were killed on the way."""
    folder = tmp_path_factory.mktemp("farm")
    leased, done = EvaluationStatus.LEASED, EvaluationStatus.DONE
    with running_search(folder) as search:
        search.wait(lambda: search.count(Stage.TRAIN, leased) > 0, "a training")
        search.kill("worker")
        search.wait(lambda: search.count(Stage.MEASURE, leased) > 0, "a measurement")
        search.kill("agent-virtual-1")
        search.wait(lambda: search.count(Stage.TRAIN, done) > 0, "a trained candidate")
        search.kill("scheduler")
        search.wait(lambda: search.count(Stage.MEASURE, done) > 0, "a measured candidate")
        shutil.rmtree(folder / "data" / "broker")
        search.kill("broker")
        search.wait(lambda: search.count(Stage.TRAIN, done) > 2, "life after the broker")
        search.kill("phone-virtual-1")
        search.kill("postgres")
        wait_until(search.is_finished, TIME_LIMIT_S, "the end of the search")
        yield search


def test_every_candidate_ends_complete_or_failed_with_a_reason(survivor: Search) -> None:
    with survivor.database.transaction() as session:
        rows = session.execute(select(CandidateRow.status, CandidateRow.reason)).all()
    statuses = Counter(row.status for row in rows)
    assert statuses[CandidateStatus.COMPLETE] == CANDIDATES
    assert all(row.reason for row in rows if row.status is CandidateStatus.FAILED)
    assert all(status.is_final for status in statuses)


def test_no_architecture_is_evaluated_twice(survivor: Search) -> None:
    with survivor.database.transaction() as session:
        digests = session.scalars(select(CandidateRow.digest)).all()
    assert len(digests) == len(set(digests))


def test_no_evaluation_is_recorded_twice(survivor: Search) -> None:
    with survivor.database.transaction() as session:
        done = Counter(
            session.scalars(select(EventRow.evaluation_id).where(EventRow.kind == EventKind.EVALUATION_DONE))
        )
        finished = session.scalars(select(EvaluationRow.id).where(EvaluationRow.status == EvaluationStatus.DONE)).all()
    assert set(done) == set(finished)
    assert set(done.values()) == {1}


def test_every_complete_candidate_has_one_measurement_and_every_epoch_once(survivor: Search) -> None:
    complete = select(CandidateRow.id).where(CandidateRow.status == CandidateStatus.COMPLETE)
    mine = EvaluationRow.candidate_id.in_(complete)
    with survivor.database.transaction() as session:
        measured = session.scalars(
            select(EvaluationRow.candidate_id).join(MeasurementRow, MeasurementRow.evaluation_id == EvaluationRow.id)
        ).all()
        epochs = session.execute(
            select(EvaluationRow.candidate_id, TrainingMetricsRow.epoch)
            .join(TrainingMetricsRow, TrainingMetricsRow.evaluation_id == EvaluationRow.id)
            .where(mine)
        ).all()
    assert Counter(Counter(measured).values()) == {1: len(measured)}
    assert Counter(epoch for _, epoch in epochs) == dict.fromkeys(range(1, EPOCHS[-1] + 1), CANDIDATES)


def test_the_kills_really_cost_attempts(survivor: Search) -> None:
    """Else the other tests would hold for a search that nobody disturbed."""
    with survivor.database.transaction() as session:
        codes = session.scalars(
            select(EventRow.details["code"].astext).where(EventRow.kind == EventKind.EVALUATION_REQUEUED)
        ).all()
    assert "LeaseExpired" in codes
    restarts = {status.name: status.restarts for status in survivor.farm.stack.services()}
    assert all(restarts[name] >= 1 for name in ("worker", "scheduler", "broker", "postgres", "agent-virtual-1"))


def test_everything_measured_on_a_virtual_phone_is_labelled_simulated(survivor: Search) -> None:
    with survivor.database.transaction() as session:
        labels = session.scalars(select(CandidateRow.simulated)).all()
        samples = session.scalars(select(MeasurementRow.simulated)).all()
    assert all(labels) and all(samples)
