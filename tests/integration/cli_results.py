"""A search with results, made the way workers and agents make it: claims and reports."""

from dataclasses import dataclass

from factories import claim_first, make_measurement, store_candidates, store_experiment, store_phone
from sqlalchemy import select
from sqlalchemy.orm import Session

from db import candidates, leases
from db.artifact import StoredArtifact
from db.experiments import StoredExperiment
from db.report import EpochMetrics, Report
from db.session import Database
from db.tables import EvaluationRow
from paretofarm.errors import OutOfMemory
from paretofarm.lifecycle import CandidateStatus, Stage, Step, Verdict

MEASURE, COMPILE, TRAIN = Step(Stage.MEASURE, "virtual"), Step(Stage.COMPILE, "virtual"), Step(Stage.TRAIN, rung=0)
PER_CLASS = {"skin": {"iou": 0.6, "f1": 0.7, "pixels": 90}, "hat": None}


@dataclass(frozen=True)
class Results:
    """ids: of the candidates, in order of proposal: four complete ones, an infeasible, a failed and an open one."""

    search: StoredExperiment
    ids: list[int]


def store_results(database: Database, name: str = "faces-demo") -> Results:
    """Latencies 2, 4, 8, 8 ms and mIoU 0.3, 0.5, 0.7, 0.6: all but the last complete candidate are on the front."""
    with database.transaction() as session:
        search = store_experiment(session, name=name)
        ids = store_candidates(session, search.id, 7)
        phone = store_phone(session)
        for candidate_id, latency_ms, miou in zip(ids, (2.0, 4.0, 8.0, 8.0), (0.3, 0.5, 0.7, 0.6), strict=False):
            complete(session, candidate_id, phone, latency_ms=latency_ms, miou=miou)
        candidates.finish(session, ids[4], Verdict(CandidateStatus.INFEASIBLE, "parameters is 6e+07"))
        leases.fail(session, claim_first(session, evaluation(session, ids[5], Step(Stage.BUILD))), OutOfMemory("4 GiB"))
        candidates.finish(session, ids[5], Verdict(CandidateStatus.FAILED, "build: OutOfMemory: 4 GiB"))
    return Results(search, ids)


def complete(session: Session, candidate_id: int, phone: int, *, latency_ms: float, miou: float) -> None:
    done(session, candidate_id, Step(Stage.BUILD), Report({"parameters": 1000.0 * latency_ms, "macs": 5e6}))
    candidates.queue(session, candidate_id, [COMPILE, MEASURE, TRAIN])
    onnx = StoredArtifact(f"{candidate_id:064x}", "network", 2048, f"file:///store/{candidate_id}")
    done(session, candidate_id, COMPILE, Report({"network_bytes": 2048.0}, artifacts=[onnx]))
    interval = {"latency_ms": (latency_ms * 0.99, latency_ms * 1.01)}
    measurement = make_measurement(phone, latency_ms=latency_ms)
    done(
        session,
        candidate_id,
        MEASURE,
        Report({"latency_ms": latency_ms}, interval, measurement=measurement, simulated=True),
    )
    epochs = [EpochMetrics(1, 2.5, 3.0, {"miou": miou / 2}), EpochMetrics(2, 1.5, 3.0, {"miou": miou})]
    done(session, candidate_id, TRAIN, Report({"miou": miou}, epochs=epochs, details={"per_class": PER_CLASS}))
    candidates.finish(session, candidate_id, Verdict(CandidateStatus.COMPLETE))


def done(session: Session, candidate_id: int, step: Step, report: Report) -> None:
    leases.report(session, claim_first(session, evaluation(session, candidate_id, step)), report)


def evaluation(session: Session, candidate_id: int, step: Step) -> int:
    query = select(EvaluationRow.id).where(EvaluationRow.candidate_id == candidate_id)
    found = session.scalar(query.where(EvaluationRow.stage == step.stage))
    assert found is not None
    return found
