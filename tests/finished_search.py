"""A search, its random control and the training of its best to the end, made the way workers and agents make them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from factories import claim_first, make_experiment, make_measurement, store_phone
from onnx import TensorProto, helper, numpy_helper
from sqlalchemy import select
from sqlalchemy.orm import Session

from db import candidates, experiments, leases
from db.artifact import StoredArtifact
from db.artifacts import ArtifactStore
from db.experiments import StoredExperiment
from db.finishing import begin_final
from db.report import EpochMetrics, Report
from db.session import Database
from db.tables import EvaluationRow
from paretofarm.algorithms.port import Origin, Proposal
from paretofarm.calibration import CalibrationResult
from paretofarm.errors import OutOfMemory
from paretofarm.final import Final
from paretofarm.labelled_images import LabelledImages, encode
from paretofarm.lifecycle import CandidateStatus, Stage, Step, Verdict

CLASSES = ("background", "skin", "hair & <b>", "nose")
SIDE = 16
CALIBRATION = CalibrationResult("mse", 6, 0.5, {"mse": 0.49, "minmax": 0.4})
BUILD, TRAIN = Step(Stage.BUILD), Step(Stage.TRAIN, rung=0)
PARTIAL = (
    (1.0, 0.2),
    (2.0, 0.35),
    (4.0, 0.5),
    (8.0, 0.55),
    (9.0, 0.3),
    (3.0, 0.25),
    (6.0, 0.4),
    (5.0, 0.1),
    (7.0, 0.5),
)
"""Latency in ms and mIoU of the search's candidates: the first four are on its front."""
FULL = (0.3, 0.6, 0.55, 0.8)
"""mIoU of these after full training: the third falls off."""
EPOCHS = 3
FINAL = {"epochs": EPOCHS, "recipe": "search"}


@dataclass(frozen=True)
class Finished:
    """search, control, final: their names."""

    search: str = "faces-demo"
    control: str = "faces-demo-control"
    final: str = "faces-demo-final"


def store_finished(database: Database, store: ArtifactStore, folder: Path, **settings: Any) -> Finished:
    """folder: for a network's file. settings: keys of the experiment file."""
    names = Finished()
    experiment = make_experiment(**{"name": names.search, "control": "random", "final": FINAL,
                                    "algorithm": {"type": "evolution_pareto", "initial": 4}, **settings})  # fmt: skip
    with database.transaction() as session:
        phone = store_phone(session)
        search_id = experiments.create(session, experiment, source="name: faces-demo  # <b>\n", code_version="test")
        search, control = experiments.get(session, search_id), experiments.find(session, names.control)
        rng = np.random.default_rng(1)
        for run, values in ((search, PARTIAL), (control, [(ms + 0.5, miou * 0.9) for ms, miou in PARTIAL])):
            for candidate_id, (latency_ms, miou) in zip(propose(session, run, rng, len(values)), values, strict=True):
                complete(session, candidate_id, phone, latency_ms=latency_ms, miou=miou, epochs=1)
        unlucky(session, search, rng)
        final = begin_final(session, search, Final.model_validate(FINAL))
        trained = [
            store.put_file(network(folder / "network.onnx"), kind) for kind in ("trained_onnx", "trained_network")
        ]
        test_set = store.put_bytes(b"".join(encode(labelled_images())), "test_set")
        architectures = final.experiment.algorithm.architectures  # type: ignore[union-attr]
        ids = candidates.propose(session, final.id, [Proposal(each, Origin.LISTED, ()) for each in architectures])
        by_choice = sorted(
            zip(PARTIAL[:4], FULL, strict=True), reverse=True
        )  # its first objective orders a final search
        for candidate_id, ((latency_ms, _), miou) in zip(ids, by_choice, strict=True):
            complete(session, candidate_id, phone, latency_ms=latency_ms * 1.1, miou=miou, epochs=EPOCHS,
                     artifacts=[*trained, test_set])  # fmt: skip
        for run in (search, control, final):
            experiments.finish(session, run.id)
    return names


def propose(session: Session, search: StoredExperiment, rng: np.random.Generator, count: int) -> list[int]:
    space = search.experiment.search_space.search_space()
    found: list[int] = []
    while len(found) < count:
        found += candidates.propose(session, search.id, [Proposal(space.sample(rng), Origin.RANDOM, ())])
    return found


def complete(
    session: Session,
    candidate_id: int,
    phone: int,
    *,
    latency_ms: float,
    miou: float,
    epochs: int,
    artifacts: Sequence[StoredArtifact] = (),
) -> None:
    """artifacts: what its training left, in which case it is measured and scored as trained."""
    rung = 0 if artifacts else None
    compiled, measured, scored = (Step(stage, "virtual", rung) for stage in (Stage.COMPILE, Stage.MEASURE, Stage.SCORE))
    done(session, candidate_id, BUILD, Report({"parameters": 900.0 * latency_ms + 7, "macs": 5e6 * latency_ms}))
    candidates.queue(session, candidate_id, [TRAIN, compiled, measured, *([scored] if artifacts else [])])
    course = [EpochMetrics(n, 2.0 / n, 3.0, {"miou": miou * n / epochs, "f1": miou}) for n in range(1, epochs + 1)]
    kept = {"per_class": per_class(miou), "class_names": list(CLASSES)}
    trained = [each for each in artifacts if each.kind == "trained_onnx"]
    done(
        session, candidate_id, TRAIN, Report({"miou": miou, "f1": miou}, epochs=course, details=kept, artifacts=trained)
    )
    others = [each for each in artifacts if each.kind != "trained_onnx"]
    notes = {"float_scores": {"miou": miou + 0.01}, "calibration": CALIBRATION.to_dict()} if artifacts else {}
    done(session, candidate_id, compiled, Report({"network_bytes": 2048.0}, details=notes, artifacts=others))
    interval = {"latency_ms": (latency_ms * 0.98, latency_ms * 1.03)}
    measurement = make_measurement(phone, latency_ms=latency_ms)
    done(session, candidate_id, measured, Report({"latency_ms": latency_ms}, interval, measurement=measurement,
                                                 simulated=True))  # fmt: skip
    if artifacts:
        about = {"phone": "virtual-1", "runtime": "onnxruntime", "simulated": True, "images": 6}
        around = {"device_miou": (miou - 0.04, miou + 0.03), "device_f1": (miou + 0.05, miou + 0.15)}
        scores = {"device_miou": miou, "device_f1": miou + 0.1, "device_pixel_accuracy": 0.9}
        done(
            session,
            candidate_id,
            scored,
            Report(scores, around, details={**about, "per_class": per_class(miou)}, simulated=True),
        )
    candidates.finish(session, candidate_id, Verdict(CandidateStatus.COMPLETE))


def unlucky(session: Session, search: StoredExperiment, rng: np.random.Generator) -> None:
    """One that breaks a limit, one that fails."""
    infeasible, failed = propose(session, search, rng, 2)
    reason = "parameters is 6e+07, must be at most 5e+07"
    candidates.finish(session, infeasible, Verdict(CandidateStatus.INFEASIBLE, reason))
    leases.fail(session, claim_first(session, evaluation(session, failed, BUILD)), OutOfMemory("4 GiB <b>"))
    candidates.finish(session, failed, Verdict(CandidateStatus.FAILED, "build: OutOfMemory: 4 GiB <b>"))


def per_class(miou: float) -> dict[str, dict[str, float] | None]:
    scores = {name: {"iou": miou, "f1": miou, "pixels": 100 * place} for place, name in enumerate(CLASSES[:3], 1)}
    return {**scores, CLASSES[3]: None}


def done(session: Session, candidate_id: int, step: Step, report: Report) -> None:
    leases.report(session, claim_first(session, evaluation(session, candidate_id, step)), report)


def evaluation(session: Session, candidate_id: int, step: Step) -> int:
    query = select(EvaluationRow.id).where(
        EvaluationRow.candidate_id == candidate_id,
        EvaluationRow.stage == step.stage,
        EvaluationRow.device.is_not_distinct_from(step.device),
        EvaluationRow.rung.is_not_distinct_from(step.rung),
    )
    return session.scalars(query).one()


def labelled_images() -> LabelledImages:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 3, SIDE, SIDE)).astype(np.uint8)
    labels = np.tile(np.arange(SIDE) // 4, (6, SIDE, 1)).astype(np.uint8)
    labels[:, 0] = 255
    return LabelledImages(CLASSES, 255, images, labels)


def network(path: Path) -> Path:
    """Finds the second class everywhere."""
    bias = np.zeros(len(CLASSES), np.float32)
    bias[1] = 1.0
    weights = [numpy_helper.from_array(np.zeros((len(CLASSES), 3, 1, 1), np.float32), "w")]
    weights.append(numpy_helper.from_array(bias, "b"))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, len(CLASSES), SIDE, SIDE])
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w", "b"], ["logits"])], "n", [image], [logits], weights
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path
