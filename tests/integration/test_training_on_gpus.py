"""A worker's trainings on GPUs that are not there: what jobs are told and what is stored; the jobs have stand-ins."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import claim_first, make_proposal, store_experiment
from sqlalchemy import select

from db import candidates, leases
from db.report import Report
from db.session import Database
from db.tables import EvaluationRow
from db.work import perform
from paretofarm.architecture import Architecture
from paretofarm.errors import OutOfMemory
from paretofarm.lifecycle import Stage, Step
from paretofarm.settings import Settings
from paretofarm.spaces import HourglassSpace
from workers.bench import Bench
from workers.datasets.faces import write_faces
from workers.gpu import Gpu
from workers.memory_needs import PeakMemory

TRAIN = Step(Stage.TRAIN, rung=0)
GIB = 2**30
GPU = Gpu("0", "GPU-5f0a2c1e", 0.0, 80.0 * GIB, None, None)
PEAK = {"reserved_bytes": 3 * GIB, "resident_bytes": GIB}


class StandIn(Bench):
    """Trains by writing files. ran: what each job was told. fits: whether there is memory."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.ran: list[tuple[str, dict[str, Any]]] = []
        self.fits = True

    def _run(
        self,
        claim: Any,
        keeper: Any,
        function: str,
        parameters: Any,
        on_epoch: Any = None,
        on_memory: Any = None,
    ) -> dict[str, Any]:
        self.ran.append((function, parameters))
        if function == "footprint":
            return {"bytes": 2 * GIB}
        if not self.fits:
            raise OutOfMemory("CUDA out of memory")
        on_memory(PeakMemory(**PEAK))
        paths = {"checkpoint": "checkpoint.pt", "onnx": "trained.onnx"}
        for name, file in paths.items():
            path = Path(parameters["out"], file)
            path.write_text(name)
            paths[name] = str(path)
        told = {"per_class": {}, "class_names": ["a"], "micro_batch": 8, "memory": PEAK}
        return {**paths, **told, "metrics": {"miou": 0.5}}


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url, "redis://nowhere", (tmp_path / "artifacts").as_uri(), tmp_path / "cache")


@pytest.fixture
def bench(database: Database, settings: Settings) -> Iterator[StandIn]:
    made = StandIn(settings, name="worker", slots=2, gpus=[GPU])
    yield made
    made.close()


def trained(
    database: Database, bench: Bench, architecture: Architecture | None = None, **experiment: Any
) -> EvaluationRow:
    with database.transaction() as session:
        search = store_experiment(session, **experiment).id
        (candidate_id,) = candidates.propose(session, search, [make_proposal(architecture)])
        build = session.scalars(select(EvaluationRow).filter_by(candidate_id=candidate_id)).one()
        leases.report(session, claim_first(session, build.id), Report())
        candidates.queue(session, candidate_id, [TRAIN])
        found = select(EvaluationRow.id).filter_by(candidate_id=candidate_id, stage=Stage.TRAIN)
        training = session.scalars(found).one()
    perform(database, training, 1, owner="worker", lease_s=60, work=bench.work)
    with database.transaction() as session:
        row = session.get_one(EvaluationRow, training)
        session.expunge(row)
        return row


def test_a_training_is_told_its_gpu_and_its_memory_is_kept(bench: StandIn, database: Database) -> None:
    row = trained(database, bench)
    assert (row.status.value, row.reason) == ("done", None)
    assert row.details is not None
    assert (row.details["memory"], row.details["micro_batch"]) == (PEAK, 8)
    [(first, _), (second, told)] = bench.ran
    assert (first, second) == ("footprint", "train")
    assert (told["device"], told["gpu"], told["memory_share"]) == ("cuda", GPU.uuid, 40 * GIB)


def test_one_that_does_not_fit_alone_fails_at_once(bench: StandIn, database: Database) -> None:
    bench.fits = False
    row = trained(database, bench)
    assert (row.status.value, row.reason) == ("failed", "OutOfMemory: CUDA out of memory")
    assert [function for function, _ in bench.ran] == ["footprint", "train"]
    bench.fits = True
    assert trained(database, bench).status.value == "done", "its place was given back"


def test_real_jobs_understand_what_they_are_told(database: Database, settings: Settings, tmp_path: Path) -> None:
    """They train on the CPU here, and tell of no GPU's memory."""
    write_faces(tmp_path / "faces", 40, 32, seed=1)
    space = HourglassSpace(type="hourglass", input_size=32, base_channels=(8,), downsample_blocks=2)
    dataset = {"type": "face_synthetics", "path": str(tmp_path / "faces"), "size": 32}
    bench = Bench(settings, name="worker", slots=2, gpus=[GPU])
    try:
        row = trained(
            database,
            bench,
            space.search_space().sample(np.random.default_rng(0)),
            search_space=space.model_dump(mode="json"),
            training={"type": "segmentation", "dataset": dataset, "batch_size": 4},
        )
    finally:
        bench.close()
    assert (row.status.value, row.reason) == ("done", None)
    assert row.details is not None
    assert row.details["micro_batch"] == 4
    assert "memory" not in row.details
