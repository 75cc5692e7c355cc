"""`kill -9` of an agent in the middle of a scoring: the next one goes on from there, and nothing is recorded twice."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import onnx
import pytest
from factories import claim_first, store_candidates, store_experiment
from onnx import TensorProto, helper, numpy_helper
from services import wait_until
from sqlalchemy import text

from db import candidates, dispatch, leases
from db.artifacts import ArtifactStore
from db.report import Report
from db.session import Database
from device_agents.virtual_phone.phone import VirtualPhone
from paretofarm.labelled_images import LabelledImages, encode
from paretofarm.lifecycle import Stage, Step
from scheduler.broker import Broker
from workers.scored_images import float_scores

SIDE, CLASSES, IMAGES, CHANNELS = 64, 4, 60, 96
OBJECTIVES = [{"name": "device_miou", "goal": "maximize", "device": "virtual"}]
START_S = 60.0


def slow_network(path: Path) -> Path:
    """Two convolutions that take long enough for a batch to be interrupted."""
    rng = np.random.default_rng(0)
    shapes = {"w1": (CHANNELS, 3, 7, 7), "w2": (CHANNELS, CHANNELS, 7, 7), "w3": (CLASSES, CHANNELS, 1, 1)}
    weights = [numpy_helper.from_array(rng.normal(0, 0.1, s).astype(np.float32), n) for n, s in shapes.items()]
    nodes = [
        helper.make_node("Conv", ["image", "w1"], ["a"], pads=[3] * 4),
        helper.make_node("Conv", ["a", "w2"], ["b"], pads=[3] * 4),
        helper.make_node("Conv", ["b", "w3"], ["logits"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, CLASSES, SIDE, SIDE])
    graph = helper.make_graph(nodes, "slow", [image], [logits], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def labelled_images() -> LabelledImages:
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (IMAGES, 3, SIDE, SIDE), dtype=np.uint8)
    labels = rng.integers(0, CLASSES, (IMAGES, SIDE, SIDE), dtype=np.uint8)
    return LabelledImages(tuple("abcd"), 255, images, labels)


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[VirtualPhone]:
    with VirtualPhone(tmp_path / "phone", serial="scoring", port=0) as phone:
        yield phone


@pytest.fixture
def environment(database_url: str, broker_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PARETOFARM_DATABASE_URL": database_url,
        "PARETOFARM_BROKER_URL": broker_url,
        "PARETOFARM_DATA": str(tmp_path / "data"),
        "PARETOFARM_LEASE_SECONDS": "3",
    }


@contextmanager
def agent(phone: VirtualPhone, environment: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    key = str(log.with_name("adbkey"))
    argv = [sys.executable, "-P", "-m", "cli", "agent", "--connect", phone.address, "--key", key]
    with log.open("wb") as output:
        process = subprocess.Popen(argv, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(START_S)
        finally:
            process.kill()
            process.wait()


def queue_score(database: Database, store: ArtifactStore, folder: Path) -> int:
    """Id of the evaluation that scores a candidate's trained network, queued."""
    (folder / "test_set").write_bytes(b"".join(encode(labelled_images())))
    compiled = {"trained_network": slow_network(folder / "slow.onnx"), "test_set": folder / "test_set"}
    artifacts = [store.put_file(path, kind) for kind, path in compiled.items()]
    query = text("SELECT id FROM evaluations WHERE candidate_id = :id ORDER BY id DESC LIMIT 1")
    with database.transaction() as session:
        measurement = {"runtime": "onnxruntime", "precision": "fp32"}
        search = store_experiment(session, objectives=OBJECTIVES, constraints=[], measurement=measurement)
        (candidate_id,) = store_candidates(session, search.id)
        claim_first(session, session.scalars(query, {"id": candidate_id}).one())
        candidates.queue(session, candidate_id, [Step(Stage.COMPILE, "virtual", 0)])
        claim = claim_first(session, session.scalars(query, {"id": candidate_id}).one())
        leases.report(session, claim, Report(artifacts=artifacts))
        candidates.queue(session, candidate_id, [Step(Stage.SCORE, "virtual", 0)])
        return session.scalars(query, {"id": candidate_id}).one()


class Watched:
    """The evaluation, as the database has it."""

    def __init__(self, database: Database, evaluation_id: int) -> None:
        self._database = database
        self._id = evaluation_id

    def value(self, statement: str) -> object:
        with self._database.transaction() as session:
            return session.scalar(text(statement), {"id": self._id})

    def status(self) -> object:
        return self.value("SELECT status FROM evaluations WHERE id = :id")

    def has_partial_scores(self) -> bool:
        return bool(self.value("SELECT count(*) FROM candidate_artifacts WHERE evaluation_id = :id"))

    def events(self, kind: str) -> object:
        return self.value(f"SELECT count(*) FROM events WHERE evaluation_id = :id AND kind = '{kind}'")


def send_due(database: Database, broker_url: str) -> int:
    with database.transaction() as session:
        leases.requeue_expired(session)
        messages = dispatch.due(session, limit=10, resend_s=3600)
    with closing(Broker(broker_url)) as broker:
        broker.send(messages)
    return len(messages)


def test_the_next_agent_goes_on_and_the_result_is_that_of_one_run(
    phone: VirtualPhone, environment: dict[str, str], database: Database, broker_url: str, tmp_path: Path
) -> None:
    store = ArtifactStore(f"file://{tmp_path}/data/artifacts")
    score = Watched(database, queue_score(database, store, tmp_path))
    assert send_due(database, broker_url) == 1
    with agent(phone, environment, tmp_path / "first.log") as first:
        wait_until(score.has_partial_scores, START_S, "the first batch")
        first.kill()
        first.wait()
    assert score.status() == "leased", (tmp_path / "first.log").read_text()
    wait_until(lambda: send_due(database, broker_url) == 1, 20, "the lease to expire")
    with agent(phone, environment, tmp_path / "second.log"):
        wait_until(lambda: score.status() == "done", START_S, "the second agent's result")
    details = score.value("SELECT details FROM evaluations WHERE id = :id")
    assert isinstance(details, dict)
    assert (details["resumed_after_images"], details["images"]) == (4, IMAGES)
    assert (score.events("evaluation_claimed"), score.events("evaluation_done")) == (2, 1)
    expected = float_scores(tmp_path / "slow.onnx", labelled_images(), lambda share: None)
    miou = "SELECT c.metrics ->> 'device_miou@virtual' FROM candidates c JOIN evaluations e ON e.candidate_id = c.id"
    assert float(str(score.value(f"{miou} WHERE e.id = :id"))) == pytest.approx(expected.miou, abs=1e-5)
