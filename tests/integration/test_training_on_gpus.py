"""A worker's trainings on GPUs that are not there: what jobs are told and what is stored; the jobs have stand-ins."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from factories import claim_first, store_candidates, store_experiment
from sqlalchemy import select

from db import candidates, leases
from db.report import Report
from db.session import Database
from db.tables import EvaluationRow
from db.work import perform
from paretofarm.errors import OutOfMemory
from paretofarm.lifecycle import Stage, Step
from paretofarm.settings import Settings
from workers.bench import Bench
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
def bench(database: Database, database_url: str, tmp_path: Path) -> Iterator[StandIn]:
    settings = Settings(database_url, "redis://nowhere", (tmp_path / "artifacts").as_uri(), tmp_path / "cache")
    made = StandIn(settings, name="worker", slots=2, gpus=[GPU])
    yield made
    made.close()


def trained(database: Database, bench: Bench) -> EvaluationRow:
    with database.transaction() as session:
        (candidate_id,) = store_candidates(session, store_experiment(session).id)
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
