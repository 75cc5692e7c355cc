"""`search start` on a user's own database, and what follows a running search. The scheduler's part is played here."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from cli_results import complete, evaluation, store_results
from click.testing import CliRunner, Result
from factories import claim_first, store_candidates, store_experiment, store_phone
from services import RunningPostgres, migrate
from sqlalchemy import text

from cli.main import main
from cli.signals import interruptible
from cli.snapshot import Snapshot
from cli.watching import Watch
from db import candidates, experiments, leases
from db.course import FIRST, Course
from db.experiments import ExperimentStatus, StoredExperiment
from db.session import Database
from paretofarm.errors import ArtifactStoreFull, ArtifactStoreUnavailable, DatabaseUnavailable, PhoneOffline
from paretofarm.lifecycle import MAX_ATTEMPTS, Stage, Step

EXPERIMENT = """\
name: faces-demo
search_space: {{type: hourglass, input_size: 64}}
algorithm: {{type: random}}
objectives:
  - {{name: miou, goal: maximize}}
  - {{name: latency_ms, goal: minimize, device: {device}}}
training: {{type: segmentation, dataset: {{type: image_mask_folder, path: {path}, size: 64}}}}
measurement: {{runtime: onnxruntime}}
stop: {{candidates: {stop}}}
"""


class Recorder(nullcontext[Any]):
    """A display that remembers."""

    def __init__(self, after: Callable[[Snapshot], None] = lambda snapshot: None) -> None:
        super().__init__()
        self.seen: list[Snapshot] = []
        self._after = after

    def show(self, snapshot: Snapshot) -> None:
        self.seen.append(snapshot)
        self._after(snapshot)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def write_experiment(folder: Path, *, device: str = "virtual", stop: int = 4, data: Path | None = None) -> Path:
    path = folder / "demo.yaml"
    path.write_text(EXPERIMENT.format(device=device, stop=stop, path=data or write_data(folder)))
    return path


def write_data(folder: Path) -> Path:
    data = folder / "data"
    for part in ("images", "masks"):
        (data / part).mkdir(parents=True, exist_ok=True)
        for number in range(40):
            (data / part / f"{number}.png").touch()
    (data / "classes.json").write_text('["a", "b"]')
    return data


@pytest.fixture
def own_database(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", database_url)
    return database


@pytest.fixture
def no_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a user who has no servers; it does not exist."""
    monkeypatch.delenv("PARETOFARM_DATABASE_URL", raising=False)
    monkeypatch.setenv("PARETOFARM_DATA", str(tmp_path / "farm"))
    return tmp_path / "farm"


def find(database: Database, name: str = "faces-demo") -> StoredExperiment:
    with database.transaction() as session:
        return experiments.find(session, name)


def test_a_missing_data_set_is_named_before_anything_starts(no_servers: Path, tmp_path: Path) -> None:
    result = run("search", "start", write_experiment(tmp_path, data=tmp_path / "absent"), "--wait")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert f"{tmp_path / 'absent'}: no such folder" in result.stderr
    assert not no_servers.exists()


def test_a_half_written_data_set_is_named(no_servers: Path, tmp_path: Path) -> None:
    path = write_experiment(tmp_path)
    (tmp_path / "data/masks/7.png").unlink()
    result = run("search", "start", path, "--wait")
    assert result.exit_code == 2
    assert "masks/7.png: missing" in result.stderr


def test_wrong_experiment_files_start_nothing(no_servers: Path, tmp_path: Path) -> None:
    path = write_experiment(tmp_path)
    for wrong in ("colour: red\n", "constraints: [{name: miou, at_least: 2}]\n", "seed: [\n"):
        other = tmp_path / "wrong.yaml"
        other.write_text(path.read_text() + wrong)
        result = run("search", "start", other, "--wait")
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
        assert result.stderr.startswith(f"paretofarm: {other}")
    assert run("search", "start", tmp_path / "absent.yaml").exit_code == 2
    assert not no_servers.exists()


def test_without_servers_and_without_wait_the_user_hears_what_to_do(no_servers: Path, tmp_path: Path) -> None:
    result = run("search", "start", write_experiment(tmp_path))
    assert result.exit_code == 1
    assert "`paretofarm up` in another terminal, or add --wait" in result.stderr
    assert not no_servers.exists()


def test_plot_needs_wait_and_a_place(no_servers: Path, tmp_path: Path) -> None:
    path = write_experiment(tmp_path)
    assert run("search", "start", path, "--plot", tmp_path / "a.png").exit_code == 2
    assert run("search", "start", path, "--wait", "--plot", tmp_path / "none" / "a.png").exit_code == 2


def test_questions_make_no_data_folder(no_servers: Path) -> None:
    assert json.loads(run("search", "list", "--json").stdout) == []
    assert json.loads(run("phones", "--json").stdout) == []
    result = run("front", "faces-demo")
    assert result.exit_code == 2
    assert "begin with `paretofarm search start FILE.yaml --wait`" in result.stderr
    assert run("doctor").exit_code == 0
    assert not no_servers.exists()


def test_a_broker_without_a_database_is_refused(no_servers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARETOFARM_BROKER_URL", "redis://host")
    assert "set both or neither" in run("front", "faces-demo").stderr
    assert run("scheduler").exit_code == 2


def test_the_first_start_stores_the_search(own_database: Database, tmp_path: Path) -> None:
    path = write_experiment(tmp_path)
    result = run("search", "start", path)
    assert result.exit_code == 0
    assert "faces-demo (id 1) started" in result.stderr
    assert find(own_database).status is ExperimentStatus.RUNNING


def test_the_same_file_again_goes_on(own_database: Database, tmp_path: Path) -> None:
    path = write_experiment(tmp_path)
    run("search", "start", path)
    path.write_text("# a comment changes nothing\n" + path.read_text())
    assert "goes on" in run("search", "start", path).stderr
    run("search", "stop", "faces-demo")
    assert "resumed" in run("search", "start", path).stderr
    assert find(own_database).status is ExperimentStatus.RUNNING


def test_another_file_of_the_same_name_is_refused(own_database: Database, tmp_path: Path) -> None:
    run("search", "start", write_experiment(tmp_path))
    path = write_experiment(tmp_path, stop=9)
    result = run("search", "start", path)
    assert (result.exit_code, result.stderr) == (
        2,
        f"paretofarm: {path}: there is a search 'faces-demo' already, which differs: stop.candidates (9, was 4); "
        "give this one another name\n",
    )


def test_a_device_class_without_phones_is_a_warning(own_database: Database, tmp_path: Path) -> None:
    with own_database.transaction() as session:
        store_phone(session, device="pixel-9")
    result = run("search", "start", write_experiment(tmp_path, device="pixel-8"))
    assert "warning: no phone of class pixel-8 yet (known: pixel-9)" in result.stderr


def test_waiting_ends_with_the_front_and_a_picture(own_database: Database, tmp_path: Path) -> None:
    path, picture = write_experiment(tmp_path), tmp_path / "front.png"
    run("search", "start", path)
    with own_database.transaction() as session:
        search = experiments.find(session, "faces-demo")
        phone = store_phone(session)
        for candidate_id in store_candidates(session, search.id, 2):
            complete(session, candidate_id, phone, latency_ms=3.0 + candidate_id, miou=0.5 + candidate_id / 10)
        experiments.finish(session, search.id)
    result = run("search", "start", path, "--wait", "--json", "--plot", picture)
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)["candidates"]) == 2
    assert picture.exists()
    assert "is finished already" in result.stderr
    assert "paretofarm db shell -c" in result.stderr


def test_a_search_that_found_nothing_fails(own_database: Database, tmp_path: Path) -> None:
    path = write_experiment(tmp_path)
    run("search", "start", path)
    with own_database.transaction() as session:
        experiments.finish(session, experiments.find(session, "faces-demo").id)
    result = run("search", "start", path, "--wait")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no candidate of faces-demo is complete and feasible" in result.stderr


def test_watching_ends_when_the_search_does(own_database: Database) -> None:
    search = store_results(own_database).search

    def finish(snapshot: Snapshot) -> None:
        with own_database.transaction() as session:
            experiments.finish(session, search.id)

    display = Recorder(finish)
    assert Watch(own_database, search).until_over(display).status is ExperimentStatus.FINISHED
    first, last = display.seen[0], display.seen[-1]
    assert first.counts == {"proposed": 1, "running": 0, "paused": 0, "complete": 4, "infeasible": 1, "failed": 1}
    assert first.stages == {"build": (0, 1)}
    assert first.standing.front_size == 3
    assert first.eta_s is not None
    assert (first.is_over, last.is_over, last.eta_s is None or last.eta_s >= 0) == (False, True, True)


def test_watching_wakes_up_at_a_notification(own_database: Database) -> None:
    search = store_results(own_database).search
    shown = threading.Event()

    def finish() -> None:
        shown.wait(10)
        with own_database.transaction() as session:
            experiments.finish(session, search.id)

    thread = threading.Thread(target=finish)
    thread.start()
    Watch(own_database, search).until_over(Recorder(lambda snapshot: shown.set()))
    thread.join()
    assert find(own_database).status is ExperimentStatus.FINISHED


def test_failures_are_news(own_database: Database) -> None:
    results = store_results(own_database)
    watch = Watch(own_database, results.search)
    watch.skip_old_news()
    with own_database.transaction() as session:
        claim = claim_first(session, evaluation(session, results.ids[6], Step(Stage.BUILD)))
        leases.fail(session, claim, PhoneOffline("the cable is out"))
    assert watch.look().news == (f"candidate {results.ids[6]} is tried again: PhoneOffline: the cable is out",)


def test_a_full_artifact_store_stops_the_search_and_loses_nothing(own_database: Database) -> None:
    results = store_results(own_database)
    watch = Watch(own_database, results.search)
    with own_database.transaction() as session:
        claim = claim_first(session, evaluation(session, results.ids[6], Step(Stage.BUILD)))
        leases.fail(session, claim, ArtifactStoreFull("storing onnx at /store: No space left on device"))
    with pytest.raises(ArtifactStoreFull, match="No space left on device; the search is stopped and nothing is lost"):
        watch.look()
    stored = find(own_database)
    assert (stored.status, stored.reason) == (
        ExperimentStatus.STOPPED,
        "storing onnx at /store: No space left on device",
    )
    with own_database.transaction() as session:
        (open_one,) = candidates.in_flight(session, stored.id)
    assert open_one.id == results.ids[6]


def test_an_artifact_store_that_is_away_is_waited_for_until_one_attempt_is_left(own_database: Database) -> None:
    results = store_results(own_database)
    watch = Watch(own_database, results.search)
    with own_database.transaction() as session:
        due = evaluation(session, results.ids[6], Step(Stage.BUILD))
    for attempt in range(1, MAX_ATTEMPTS):
        with own_database.transaction() as session:
            claim = leases.claim(session, due, attempt, owner="tester", lease_s=60.0)
            assert claim is not None
            leases.fail(session, claim, ArtifactStoreUnavailable("storing onnx at s3://farm: Could not connect"))
        if attempt < MAX_ATTEMPTS - 1:
            assert watch.look().status is ExperimentStatus.RUNNING
    with pytest.raises(ArtifactStoreUnavailable, match="Could not connect; the search is stopped and nothing is lost"):
        watch.look()
    with own_database.transaction() as session:
        assert [row.id for row in candidates.in_flight(session, results.search.id)] == [results.ids[6]]


def test_a_search_that_waits_for_its_user_says_so(own_database: Database, tmp_path: Path) -> None:
    path = write_experiment(tmp_path)
    run("search", "start", path)
    search = find(own_database)

    def stop(snapshot: Snapshot) -> None:
        with own_database.transaction() as session:
            experiments.stop(session, search.id, reason="data/faces: no such folder")

    over = Watch(own_database, search).until_over(Recorder(stop))
    assert (over.status, over.reason) == (ExperimentStatus.STOPPED, "data/faces: no such folder")


def test_a_lost_interrupt_ends_the_watching(own_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    search = store_results(own_database).search
    monkeypatch.setattr(sys, "unraisablehook", lambda told: None)

    class Finalized:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    shown: list[Snapshot] = []

    def lose(snapshot: Snapshot) -> None:
        shown.append(snapshot)
        assert len(shown) < 3
        Finalized()

    with interruptible(), pytest.raises(KeyboardInterrupt):
        Watch(own_database, search).until_over(Recorder(lose))
    assert len(shown) == 1


def test_watching_outlives_a_database_that_restarts(restartable_postgres: RunningPostgres) -> None:
    url = restartable_postgres.create_database("watched")
    migrate(url)
    database = Database(url)
    search = store_results(database).search
    with database.transaction() as session:
        # The results were stored together with claims, whose commits do not wait for the disk.
        session.execute(text("CHECKPOINT"))
    troubles: list[str | None] = []

    def disturb(snapshot: Snapshot) -> None:
        troubles.append(snapshot.trouble)
        if len(troubles) == 1:
            restartable_postgres.kill()
        elif snapshot.trouble and "does not answer" in snapshot.trouble:
            restartable_postgres.start()
        else:
            with database.transaction() as session:
                experiments.finish(session, search.id)

    assert Watch(database, search).until_over(Recorder(disturb)).status is ExperimentStatus.FINISHED
    assert any(trouble and "waiting: the database" in trouble for trouble in troubles)
    database.dispose()


def test_watching_a_database_that_never_answered_fails(own_database: Database) -> None:
    search = store_results(own_database).search
    nowhere = Database("postgresql://user@127.0.0.1:1/base")
    with pytest.raises(DatabaseUnavailable):
        Watch(nowhere, search).until_over(Recorder())
    nowhere.dispose()


def test_the_hypervolume_only_grows_from_the_first_eight(own_database: Database) -> None:
    with own_database.transaction() as session:
        search = store_experiment(session)
        phone = store_phone(session)
        course = Course(search.id, search.experiment)
        for number in range(FIRST):
            (candidate_id,) = store_candidates(session, search.id)
            assert course.standing(session).improvement is None
            complete(session, candidate_id, phone, latency_ms=2.0 + number, miou=0.3 + number / 100)
        assert course.standing(session).improvement == pytest.approx(1.0)
        (better,) = store_candidates(session, search.id)
        complete(session, better, phone, latency_ms=1.0, miou=0.9)
        standing = course.standing(session)
    assert standing.improvement is not None
    assert standing.improvement > 2
    assert (standing.front_size, standing.complete) == (1, FIRST + 1)
