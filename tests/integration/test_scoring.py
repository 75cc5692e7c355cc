"""A trained network is scored on a virtual phone: batch by batch, resumed after any interruption, stored once."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from factories import claim_first, store_candidates, store_experiment
from small_training import CLASS_NAMES, SHAPE, SIDE, rectangles, small_dataset, small_network
from sqlalchemy import text

from db import candidates, leases
from db.artifacts import ArtifactStore, StoredArtifact
from db.report import Report
from db.session import Database
from db.work import perform
from device_agents.link import open_link
from device_agents.phone import Phone
from device_agents.runtimes import BlockTimes, Images, InstalledNetwork, Logits
from device_agents.scorer import Scorer
from device_agents.virtual_phone.phone import VirtualPhone
from paretofarm.errors import PhoneOffline
from paretofarm.labelled_images import LabelledImages, encode
from paretofarm.lifecycle import Stage, Step
from paretofarm.partial_scores import PartialScores
from paretofarm.ports import DeviceLink
from paretofarm.scores import count, score
from workers.datasets import Split
from workers.export import export_onnx
from workers.scored_images import float_scores, scored_images

IMAGES = 30
COMPILE, SCORE = Step(Stage.COMPILE, "virtual", 0), Step(Stage.SCORE, "virtual", 0)
OBJECTIVES = [{"name": "device_miou", "goal": "maximize", "device": "virtual"}]


def labelled_images() -> LabelledImages:
    dataset = small_dataset()
    return scored_images(replace(dataset, splits={**dataset.splits, Split.TEST: rectangles(IMAGES, seed=9)}), IMAGES)


LABELLED = labelled_images()


@dataclass
class BrightnessRuntime:
    """Takes the brightest channel for the class; tells what it was given, and fails after `healthy` batches."""

    batches: list[int] = field(default_factory=list)
    healthy: int = 1000
    fail: Callable[[DeviceLink], None] = lambda link: None
    classes: int = len(CLASS_NAMES)

    def prepare(self, link: DeviceLink) -> str:
        return "brightness 1"

    def files(self, compiled: Path, folder: Path) -> Mapping[str, Path]:
        return {"network": compiled}

    def time_block(
        self, link: DeviceLink, network: InstalledNetwork, *, folder: str, inferences: int, watch_memory: bool = False
    ) -> BlockTimes:
        raise NotImplementedError

    def reference(self) -> Path | None:
        return None

    def infer(self, link: DeviceLink, network: InstalledNetwork, images: Images, *, folder: str) -> Logits:
        if len(self.batches) == self.healthy:
            self.fail(link)
            raise PhoneOffline("the cable is loose")
        self.batches.append(len(images))
        return predicted(images)[:, : self.classes]


def predicted(images: Images) -> Logits:
    background = np.full_like(images[:, :1], 0.5)
    return np.concatenate([background, images], axis=1)


def expected_miou() -> float:
    classes = predicted(LABELLED.inputs(0, IMAGES)).argmax(axis=1)
    return score(count(LABELLED.labels, classes, classes=4, ignore_index=255), CLASS_NAMES).miou


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with VirtualPhone(tmp_path_factory.mktemp("phone"), serial="scoring", port=0) as phone:
        yield phone.address


@pytest.fixture
def phone(address: str, tmp_path: Path) -> Iterator[Phone]:
    link = open_link(address, tmp_path / "adbkey")
    phone = Phone(link)
    phone.prepare()
    yield phone
    link.close()


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(f"file://{tmp_path}/artifacts")


@dataclass
class Lab:
    """An agent's scorer on a virtual phone, and a candidate whose trained network waits to be scored."""

    database: Database
    store: ArtifactStore
    phone: Phone
    evaluation_id: int
    candidate_id: int

    def scorer(self, runtime: BrightnessRuntime | None = None) -> Scorer:
        scorer = Scorer(
            phone=self.phone,
            serial="scoring",
            device="virtual",
            simulated=True,
            database=self.database,
            store=self.store,
            environment={},
            stopping=threading.Event(),
        )
        return scorer if runtime is None else replace(scorer, runtimes=lambda settings, environment: runtime)

    def perform(self, scorer: Scorer, attempt: int = 1) -> None:
        perform(self.database, self.evaluation_id, attempt, owner="tester", lease_s=60, work=scorer.score)

    def row(self, columns: str) -> list[object]:
        with self.database.transaction() as session:
            query = f"SELECT {columns} FROM evaluations e JOIN candidates c ON c.id = e.candidate_id WHERE e.id = :id"
            return list(session.execute(text(query), {"id": self.evaluation_id}).one())

    def partial(self) -> PartialScores:
        with self.database.transaction() as session:
            query = "SELECT sha256 FROM candidate_artifacts WHERE evaluation_id = :id AND kind = 'partial_scores'"
            sha256 = session.scalars(text(query), {"id": self.evaluation_id}).one()
        return PartialScores.from_json(self.store.fetch(sha256).read_bytes())


Prepare = Callable[..., Lab]


@pytest.fixture
def prepare(database: Database, store: ArtifactStore, phone: Phone, tmp_path: Path) -> Prepare:
    def prepare(network: bytes = b"any", **measurement: object) -> Lab:
        (tmp_path / "test_set").write_bytes(b"".join(encode(LABELLED)))
        compiled = [store.put_bytes(network, "trained_network"), store.put_file(tmp_path / "test_set", "test_set")]
        settings = {"runtime": "onnxruntime", **measurement}
        return _queue_score(database, compiled, settings, store, phone)

    return prepare


def _queue_score(
    database: Database, compiled: list[StoredArtifact], settings: dict[str, object], store: ArtifactStore, phone: Phone
) -> Lab:
    with database.transaction() as session:
        search = store_experiment(session, objectives=OBJECTIVES, constraints=[], measurement=settings)
        (candidate_id,) = store_candidates(session, search.id)
        candidates.queue(session, candidate_id, [COMPILE])
        query = text("SELECT id FROM evaluations WHERE candidate_id = :id ORDER BY id DESC LIMIT 1")
        compilation = claim_first(session, session.scalars(query, {"id": candidate_id}).one())
        leases.report(session, compilation, Report(artifacts=compiled))
        candidates.queue(session, candidate_id, [SCORE])
        return Lab(database, store, phone, session.scalars(query, {"id": candidate_id}).one(), candidate_id)


def test_the_phones_scores_are_the_candidates_metrics(prepare: Prepare) -> None:
    lab, runtime = prepare(), BrightnessRuntime()
    lab.perform(lab.scorer(runtime))
    assert runtime.batches == [4, 26]
    status, progress, details, metrics, simulated = lab.row("e.status, e.progress, e.details, c.metrics, c.simulated")
    assert (status, progress, simulated) == ("done", 1.0, True)
    assert isinstance(metrics, dict) and isinstance(details, dict)
    assert set(metrics) == {"device_miou@virtual", "device_f1@virtual", "device_pixel_accuracy@virtual"}
    assert metrics["device_miou@virtual"] == pytest.approx(expected_miou())
    assert (details["images"], details["phone"], details["simulated"]) == (IMAGES, "scoring", True)
    assert details["per_class"]["nose"]["pixels"] == (LABELLED.labels == 3).sum()


def test_what_a_simulator_computes_is_labelled_on_a_handset_too(prepare: Prepare) -> None:
    lab = prepare(runtime="qnn-sim", socs={"virtual": "SM8550"})
    lab.perform(replace(lab.scorer(BrightnessRuntime()), simulated=False))
    assert lab.row("e.status, c.simulated, e.details -> 'simulated'") == ["done", True, True]


def test_a_real_network_scores_on_the_phone_what_it_scores_here(prepare: Prepare, tmp_path: Path) -> None:
    export_onnx(small_network(), SHAPE, tmp_path / "trained.onnx")
    lab = prepare((tmp_path / "trained.onnx").read_bytes(), precision="fp32")
    lab.perform(lab.scorer())
    status, reason, metrics = lab.row("e.status, e.reason, c.metrics")
    assert (status, reason) == ("done", None)
    here = float_scores(tmp_path / "trained.onnx", LABELLED, lambda share: None)
    assert isinstance(metrics, dict)
    assert metrics["device_miou@virtual"] == pytest.approx(here.miou, abs=1e-6)
    assert metrics["device_pixel_accuracy@virtual"] == pytest.approx(here.accuracy, abs=1e-6)


def test_the_next_attempt_goes_on_after_the_last_finished_batch(prepare: Prepare) -> None:
    lab, first, second = prepare(), BrightnessRuntime(healthy=1), BrightnessRuntime()
    lab.perform(lab.scorer(first))
    assert lab.row("e.status, e.attempt, e.failures, e.code") == ["queued", 2, 1, "PhoneOffline"]
    assert lab.partial().images == 4
    lab.perform(lab.scorer(second), attempt=2)
    assert (first.batches, second.batches) == ([4], [4, 22])
    status, details, metrics = lab.row("e.status, e.details, c.metrics")
    assert isinstance(metrics, dict) and isinstance(details, dict)
    assert (status, details["resumed_after_images"], details["images"]) == ("done", 4, IMAGES)
    assert metrics["device_miou@virtual"] == pytest.approx(expected_miou())
    (intervals,) = lab.row("c.intervals")
    assert isinstance(intervals, dict)
    assert {"device_miou@virtual", "device_f1@virtual", "device_pixel_accuracy@virtual"} <= set(intervals)
    assert intervals["device_miou@virtual"] == pytest.approx([expected_miou()] * 2)  # every image is right


def test_what_an_attempt_left_of_another_network_is_not_used(prepare: Prepare) -> None:
    lab, runtime = prepare(), BrightnessRuntime()
    with lab.database.transaction() as session:
        claim = claim_first(session, lab.evaluation_id)
        foreign = PartialScores("f" * 64, "f" * 64, np.full((20, 4, 3), 1000))
        leases.attach(session, claim, [lab.store.put_bytes(foreign.to_json(), "partial_scores")])
        leases.hand_back(session, claim)
    lab.perform(lab.scorer(runtime), attempt=2)
    assert sum(runtime.batches) == IMAGES
    (metrics,) = lab.row("c.metrics")
    assert isinstance(metrics, dict)
    assert metrics["device_miou@virtual"] == pytest.approx(expected_miou())


@pytest.mark.parametrize("content", [b"no scores at all", b'{"network": 1}'])
def test_a_damaged_remainder_only_means_to_begin_anew(prepare: Prepare, content: bytes) -> None:
    lab, runtime = prepare(), BrightnessRuntime()
    with lab.database.transaction() as session:
        claim = claim_first(session, lab.evaluation_id)
        leases.attach(session, claim, [lab.store.put_bytes(content, "partial_scores")])
        leases.hand_back(session, claim)
    lab.perform(lab.scorer(runtime), attempt=2)
    assert (lab.row("e.status"), sum(runtime.batches)) == (["done"], IMAGES)


def test_an_agent_that_is_told_to_stop_hands_the_evaluation_back_and_blames_nobody(prepare: Prepare) -> None:
    lab = prepare()
    scorer = lab.scorer()

    def stop(link: DeviceLink) -> None:
        scorer.stopping.set()
        link.interrupt()

    runtime = BrightnessRuntime(healthy=1, fail=stop)
    lab.perform(replace(scorer, runtimes=lambda settings, environment: runtime))
    assert lab.row("e.status, e.attempt, e.failures") == ["queued", 2, 0]
    assert lab.partial().images == 4


def test_a_lease_that_is_lost_stops_the_work_and_stores_nothing(prepare: Prepare) -> None:
    lab = prepare()

    def lose(link: DeviceLink) -> None:
        with lab.database.transaction() as session:
            session.execute(text("UPDATE evaluations SET lease_expires_at = now() - interval '1 hour'"))
            leases.requeue_expired(session)

    class Losing(BrightnessRuntime):
        def infer(self, link: DeviceLink, network: InstalledNetwork, images: Images, *, folder: str) -> Logits:
            lose(link)
            return super().infer(link, network, images, folder=folder)

    runtime = Losing()
    lab.perform(lab.scorer(runtime))
    assert runtime.batches == [4]
    assert lab.row("e.status, e.attempt, c.metrics") == ["queued", 2, {}]


def test_outputs_that_are_none_of_these_classes_are_the_candidates_fault(prepare: Prepare) -> None:
    lab = prepare()
    lab.perform(lab.scorer(BrightnessRuntime(classes=3)))
    status, code, reason = lab.row("e.status, e.code, e.reason")
    assert (status, code) == ("failed", "NotDeployable")
    assert f"outputs of shape (4, 3, {SIDE}, {SIDE})" in str(reason)


def test_a_phone_without_room_for_one_image_is_not_the_candidates_fault(prepare: Prepare) -> None:
    lab, runtime = prepare(), BrightnessRuntime()

    class Full:
        def __getattr__(self, name: str) -> object:
            return getattr(lab.phone.link, name)

        def free_bytes(self, folder: str) -> int:
            return 10 * 2**20

    full = Phone(Full())  # type: ignore[arg-type]
    lab.perform(replace(lab.scorer(runtime), phone=full))
    assert (lab.row("e.status, e.code, e.attempt"), runtime.batches) == (["queued", "PhoneStorageFull", 2], [])


def test_nothing_of_a_job_stays_on_the_phone_but_the_network(prepare: Prepare) -> None:
    lab = prepare()
    lab.perform(lab.scorer(BrightnessRuntime()))
    jobs = lab.phone.link.run(["ls", "/data/local/tmp/paretofarm/jobs"], timeout_s=10)
    assert (jobs.exit_code, jobs.stdout) == (0, "")
