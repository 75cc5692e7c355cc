"""What one can do by HTTP: start, stop, change searches; pin, run again, export candidates; read artifacts, events."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from cli_results import Results, complete, evaluation, store_results
from dashboard_client import asking, bearer, make_app, make_token
from factories import (
    DOCUMENT,
    claim_first,
    make_measurement,
    make_proposal,
    store_candidates,
    store_experiment,
    store_phone,
)
from fastapi.testclient import TestClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from cli.searches import check_dataset
from db import candidates, experiments, leases, phones
from db.artifacts import ArtifactStore
from db.events import EventKind
from db.experiments import StoredExperiment
from db.report import Report
from db.session import Database
from db.tables import CandidateRow, EvaluationRow, EventRow, PointRow
from paretofarm.access import Scope
from paretofarm.lifecycle import CandidateStatus, Stage, Step, Verdict

API = "/api/v1"


@pytest.fixture
def results(database: Database) -> Results:
    return store_results(database)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore((tmp_path / "store").as_uri())


@pytest.fixture
def client(database: Database, tmp_path: Path, store: ArtifactStore) -> Iterator[TestClient]:
    app = make_app(database, tmp_path / "store", check_experiment=_check)
    with asking(app, make_token(database, Scope.OPERATE)) as client:
        yield client


def _check(file: Any) -> None:
    check_dataset(file.experiment.training.dataset)


def do(client: TestClient, method: str, path: str, **request: Any) -> Any:
    answer = client.request(method, f"{API}{path}", **request)
    assert answer.is_success, answer.text
    return answer.json()


def refused(client: TestClient, method: str, path: str, **request: Any) -> tuple[int, str]:
    answer = client.request(method, f"{API}{path}", **request)
    return answer.status_code, answer.json()["detail"]


@pytest.mark.parametrize("as_json", [True, False])
def test_a_search_is_started_and_the_same_goes_on(client: TestClient, as_json: bool) -> None:
    text = json.dumps(DOCUMENT) if as_json else yaml.safe_dump(DOCUMENT)
    kind = "application/json" if as_json else "application/yaml"
    request = {"content": text, "headers": {"content-type": kind}, "params": {"check_data": "false"}}
    answer = client.post(f"{API}/searches", **request)
    assert (answer.status_code, answer.headers["location"]) == (201, f"{API}/searches/demo")
    assert answer.json()["beginning"] == "started"
    assert "no phone of class virtual yet" in answer.json()["warnings"][0]
    again = client.post(f"{API}/searches", **request)
    assert (again.status_code, again.json()["beginning"]) == (200, "goes on")
    other = client.post(f"{API}/searches", **{**request, "content": text.replace("24", "48")})
    assert (other.status_code, "stop.candidates (48, was 24)" in other.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("name: x\nname: y\n", "the request:2:1: the key 'name' is there twice"),
        ("[1, 2]", "not an experiment file"),
        (yaml.safe_dump({**DOCUMENT, "in_flight": 0}), "in_flight = 0: must be at least 1"),
        (yaml.safe_dump(DOCUMENT).replace("data/faces", "/none"), "/none"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_a_wrong_experiment_is_refused_as_by_the_command_line(client: TestClient, content: Any, complaint: str) -> None:
    status, detail = refused(client, "POST", "/searches", content=content)
    assert (status, complaint in detail) == (400, True), detail


def test_a_search_is_stopped_resumed_and_asked_for_more(
    client: TestClient, results: Results, database: Database
) -> None:
    path = "/searches/faces-demo"
    assert do(client, "POST", f"{path}/stop") == {"name": "faces-demo", "status": "stopped", "changed": True}
    assert do(client, "POST", f"{path}/stop")["changed"] is False
    assert do(client, "POST", f"{path}/resume")["status"] == "running"
    with database.transaction() as session:
        experiments.finish(session, results.search.id)
    assert refused(client, "POST", f"{path}/resume")[0] == 409
    changed = do(client, "PATCH", path, json={"stop": {"candidates": 48}})
    assert changed == {"name": "faces-demo", "status": "running", "target": 48}
    assert refused(client, "PATCH", path, json={"stop": {"candidates": 3}}) == (
        409,
        "stop.candidates = 3: 4 are complete already",
    )
    for wrong in ({"stop": {"candidates": 0}}, {"stop": {}}, {"seed": 8}, {"stop": {"candidates": "9"}}):
        assert refused(client, "PATCH", path, json=wrong)[0] == 422


def test_the_cost_is_of_all_work_and_by_the_experiment_s_rates(
    client: TestClient, results: Results, database: Database
) -> None:
    with database.transaction() as session:
        priced = store_experiment(session, name="priced", rates={"gpu_hour": 2.0, "phone_hour": 1.0, "currency": "USD"})
        [candidate] = store_candidates(session, priced.id)
        candidates.queue(session, candidate, [Step(Stage.TRAIN, rung=0), Step(Stage.MEASURE, device="virtual")])
        for stage, seconds in ((Stage.BUILD, 360.0), (Stage.TRAIN, 7200.0), (Stage.MEASURE, 1800.0)):
            mine = EvaluationRow.candidate_id == candidate, EvaluationRow.stage == stage
            session.execute(update(EvaluationRow).where(*mine).values(spent_s=seconds))
    hours = {"gpu_hours": 2.0, "phone_hours": 0.5, "cpu_hours": 0.1}
    assert do(client, "GET", "/searches/priced/cost") == {**hours, "cost": 4.5, "currency": "USD"}
    assert do(client, "GET", "/searches/faces-demo/cost")["cost"] is None


def test_a_search_that_is_over_is_finished(client: TestClient, results: Results, database: Database) -> None:
    path = "/searches/faces-demo/finish"
    assert refused(client, "POST", path) == (409, "the search 'faces-demo' is not over yet: wait, or stop it first")
    with database.transaction() as session:
        experiments.finish(session, results.search.id)
        make_real(session, results.search)
    begun = do(client, "POST", path, json={"epochs": 7, "recipe": "search"})
    assert begun == {
        "name": "faces-demo-final",
        "final_of": "faces-demo",
        "status": "running",
        "target": 3,
        "new": True,
    }
    assert do(client, "POST", path, json={"epochs": 7, "recipe": "search"})["new"] is False
    assert do(client, "POST", path, json={"members": 1, "name": "best"})["name"] == "best"
    assert do(client, "GET", "/searches/best")["final_of"] == "faces-demo"
    for wrong in ({"epochs": 0}, {"recipe": "mine"}, {"members": "all"}, {"name": "a b"}, {"seed": 1}):
        assert refused(client, "POST", path, json=wrong)[0] == 422


def make_real(session: Session, search: StoredExperiment) -> None:
    """Its candidates become networks of its space."""
    space, rng = search.experiment.search_space.search_space(), np.random.default_rng(1)
    for row in session.scalars(select(CandidateRow).where(CandidateRow.experiment_id == search.id)):
        network = space.sample(rng)
        row.architecture, row.digest = network.to_dict(), network.digest


def test_a_reader_changes_nothing(client: TestClient, results: Results, database: Database) -> None:
    reader = bearer(make_token(database, Scope.READ))
    first = results.ids[0]
    for method, path in (
        ("POST", "/searches"),
        ("POST", "/searches/faces-demo/stop"),
        ("PATCH", "/searches/faces-demo"),
        ("DELETE", "/searches/faces-demo"),
        ("POST", f"/candidates/{first}/pin"),
        ("POST", f"/candidates/{first}/rerun"),
        ("POST", "/phones/x/release"),
    ):
        status, detail = refused(client, method, path, headers=reader, json={"stop": {"candidates": 48}})
        assert (status, "scope" in detail) == (403, True), path
    assert refused(client, "DELETE", "/searches/faces-demo")[0] == 403  # an operator does not delete either


def test_a_browser_s_session_needs_the_page_s_token_to_change_anything(
    client: TestClient, results: Results, database: Database
) -> None:
    token = make_token(database, Scope.OPERATE)
    client.headers.pop("authorization")
    client.post("/login", data={"token": token}, follow_redirects=False)
    page = client.get("/docs").text
    shown = page.partition('name="csrf-token" content="')[2].partition('"')[0]
    path = f"{API}/searches/faces-demo/stop"
    assert client.post(path).status_code == 403
    assert client.post(path, headers={"X-CSRF-Token": "0" * 64}).status_code == 403
    mine = {"X-CSRF-Token": shown}
    assert client.post(path, headers={**mine, "Origin": "https://evil.example"}).status_code == 403
    assert client.post(path, headers={**mine, "Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post(path, headers={**mine, "Origin": "http://127.0.0.1:8080"}).json()["changed"] is True


def test_an_open_dashboard_lets_programs_and_its_own_pages_change_things_but_no_other_site(
    results: Results, database: Database, tmp_path: Path
) -> None:
    path = f"{API}/searches/faces-demo/stop"
    with asking(make_app(database, tmp_path, open=True)) as client:
        evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        assert client.post(path, headers=evil).status_code == 403
        ours = {"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-origin"}
        assert client.post(path, headers=ours).status_code == 403  # without the page's token
        shown = client.get("/docs").text.partition('name="csrf-token" content="')[2].partition('"')[0]
        assert client.post(path, headers={**ours, "X-CSRF-Token": shown}).status_code == 200
        assert client.post(f"{API}/searches/faces-demo/resume").status_code == 200  # curl


def test_a_candidate_is_pinned_and_unpinned(client: TestClient, results: Results) -> None:
    path = f"/candidates/{results.ids[1]}"
    assert do(client, "POST", f"{path}/pin")["changed"] is True
    assert do(client, "POST", f"{path}/pin")["changed"] is False
    rows = do(client, "GET", "/searches/faces-demo/candidates?fields=id,pinned")["candidates"]
    assert [row["id"] for row in rows if row["pinned"]] == [results.ids[1]]
    assert do(client, "GET", "/searches/faces-demo/points")["pinned"] == [results.ids[1]]
    assert do(client, "POST", f"{path}/unpin")["changed"] is True
    assert refused(client, "POST", "/candidates/987654321/pin")[0] == 404


def test_a_complete_candidate_is_measured_again(client: TestClient, results: Results, database: Database) -> None:
    first = results.ids[0]
    with database.transaction() as session:
        experiments.finish(session, results.search.id)
    do(client, "POST", f"/candidates/{first}/rerun")
    again = do(client, "GET", f"/candidates/{first}")
    assert (again["status"], again["measurements"]) == ("running", [])
    assert "latency_ms@virtual" not in again["metrics"]
    assert again["metrics"]["miou"] == 0.3
    assert [(work["step"], work["status"]) for work in again["evaluations"]][2] == ("measure@virtual", "queued")
    assert do(client, "GET", "/searches/faces-demo")["status"] == "running"
    with database.transaction() as session:
        row = session.scalars(select(EventRow).where(EventRow.kind == EventKind.CANDIDATE_RERUN.value)).one()
        assert row.details["before"]["metrics"] == {"latency_ms@virtual": 2.0}
        assert session.scalar(select(PointRow).where(PointRow.candidate_id == first)) is None
        measure = evaluation(session, first, Step(Stage.MEASURE, "virtual"))
        claim = leases.claim(session, measure, 2, owner="tester", lease_s=60)
        assert claim is not None
        measured = make_measurement(store_phone(session), latency_ms=2.5)
        leases.report(session, claim, Report({"latency_ms": 2.5}, measurement=measured))
        candidates.finish(session, first, Verdict(CandidateStatus.COMPLETE))
        assert session.scalars(select(PointRow.latency_ms).where(PointRow.candidate_id == first)).one() == 2.5


def test_a_failed_candidate_is_tried_again_and_others_are_not(client: TestClient, results: Results) -> None:
    infeasible, failed, proposed = results.ids[4:]
    do(client, "POST", f"/candidates/{failed}/rerun")
    again = do(client, "GET", f"/candidates/{failed}")
    assert [(work["step"], work["status"], work["failures"]) for work in again["evaluations"]] == [
        ("build", "queued", 0)
    ]
    assert refused(client, "POST", f"/candidates/{infeasible}/rerun")[0] == 409
    assert refused(client, "POST", f"/candidates/{proposed}/rerun")[0] == 409


def test_lineage_says_what_each_mutation_changed(client: TestClient, database: Database) -> None:
    with database.transaction() as session:
        search = store_experiment(session, name="family")
        first, _ = candidates.propose(session, search.id, [make_proposal(), make_proposal()])
        [child] = candidates.propose(session, search.id, [make_proposal(parents=(0, 1))])
        [grandchild] = candidates.propose(session, search.id, [make_proposal(parents=(2,))])
    tree = do(client, "GET", f"/candidates/{child}/lineage")
    assert [(each["number"], each["distance"]) for each in tree["relatives"]] == [(0, -1), (1, -1), (2, 0), (3, 1)]
    assert tree["complete"] is True
    changed = tree["relatives"][2]["changes"]["0"]["serial"]
    assert changed[0] != changed[1]
    assert do(client, "GET", f"/candidates/{first}/lineage")["relatives"][-1]["id"] == child
    oldest_first = do(client, "GET", f"/candidates/{grandchild}/lineage")["relatives"]
    assert [each["distance"] for each in oldest_first] == [-2, -2, -1, 0]


def test_points_are_columns(client: TestClient, results: Results) -> None:
    points = do(client, "GET", "/searches/faces-demo/points")
    columns = points["columns"]
    assert points["axes"][1] == {"name": "latency_ms@virtual", "goal": "minimize"}
    assert columns["id"] == results.ids[:4]
    assert columns["latency_ms@virtual"] == [2.0, 4.0, 8.0, 8.0]
    assert columns["latency_low_ms"] == [1.98, 3.96, 7.92, 7.92]
    assert columns["train_s"] == [6.0] * 4
    assert columns["generation"] == [0] * 4
    assert columns["simulated"] == [True] * 4
    assert points["total"] == 4
    other = do(client, "GET", "/searches/faces-demo/points?x=parameters&y=miou")["columns"]
    assert other["parameters"] == [2000.0, 4000.0, 8000.0, 8000.0]


def test_hypervolume_needs_a_few_candidates(client: TestClient, results: Results) -> None:
    answer = do(client, "GET", "/searches/faces-demo/hypervolume")
    assert (answer["own"], answer["controls"]) == (None, [])


def test_hypervolume_grows_and_is_compared_with_random_search(client: TestClient, database: Database) -> None:
    with database.transaction() as session:
        evolved = store_experiment(session, name="evolved", algorithm={"type": "evolution_pareto", "initial": 4})
        control = store_experiment(session, name="control")
        store_experiment(session, name="otherwise", constraints=[])
        phone = store_phone(session)
        for search, better in ((evolved, 0.1), (control, 0.0)):
            for number, candidate_id in enumerate(store_candidates(session, search.id, 10)):
                miou = 0.3 + 0.02 * number + (better if number == 9 else 0)
                complete(session, candidate_id, phone, latency_ms=2.0 + number, miou=miou)
    answer = do(client, "GET", "/searches/evolved/hypervolume")
    own, [random] = answer["own"], answer["controls"]
    assert (own["algorithm"], random["search"], random["algorithm"]) == ("evolution_pareto", "control", "random")
    assert [step["evaluations"] for step in own["steps"]] == sorted({step["evaluations"] for step in own["steps"]})
    assert (own["evaluations"], own["train_s"]) == (10, 60.0)
    assert own["steps"][-1]["value"] >= random["steps"][-1]["value"] >= 1.0
    assert own["steps"][-1]["train_s"] == 6.0 * own["steps"][-1]["evaluations"]


def test_an_artifact_is_sent_whole_in_part_or_not_again(
    client: TestClient, results: Results, database: Database, store: ArtifactStore
) -> None:
    artifact = store.put_bytes(bytes(range(256)) * 40, "network")
    path = f"{API}/artifacts/{artifact.sha256}"
    assert client.get(path).status_code == 404  # the database does not know it
    with database.transaction() as session:
        link(session, results.ids[6], artifact)
    whole = client.get(path)
    assert (whole.content, whole.headers["etag"]) == (bytes(range(256)) * 40, f'"{artifact.sha256}"')
    assert "attachment" in whole.headers["content-disposition"]
    part = client.get(path, headers={"Range": "bytes=256-259"})
    assert (part.status_code, part.content) == (206, bytes(range(4)))
    assert part.headers["content-range"] == "bytes 256-259/10240"
    assert client.get(path, headers={"Range": "bytes=99999-"}).status_code == 416
    assert client.get(path, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    with database.transaction() as session:
        session.execute(text("UPDATE artifacts SET deleted_at = now(), deleted_reason = 'gc'"))
    assert client.get(path).status_code == 410


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "a" * 63, "A" * 64, "%00" * 64],
)
def test_no_other_file_is_an_artifact(client: TestClient, name: str) -> None:
    assert client.get(f"{API}/artifacts/{name}").status_code in (404, 422)


def test_a_candidate_is_exported(
    client: TestClient, database: Database, results: Results, store: ArtifactStore
) -> None:
    artifact = store.put_bytes(b"onnx", "onnx")
    last = results.ids[6]
    with database.transaction() as session:
        link(session, last, artifact)
    answer = client.get(f"{API}/candidates/{last}/export")
    assert answer.headers["content-disposition"] == f'attachment; filename="faces-demo-{last}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
        assert archive.testzip() is None
    assert names == {"network.untrained.onnx", "README.md", "network.json", "architecture.json", "run.py"}
    with database.transaction() as session:
        assert session.scalar(select(CandidateRow.exported_at).where(CandidateRow.id == last)) is not None
    assert refused(client, "GET", f"/candidates/{results.ids[5]}/export")[0] == 400


def link(session: Any, candidate_id: int, artifact: Any) -> None:
    """As a worker does it."""
    claim = claim_first(session, evaluation(session, candidate_id, Step(Stage.BUILD)))
    leases.report(session, claim, Report({"parameters": 1.0}, artifacts=[artifact]))


def test_phones_are_shown_and_released(client: TestClient, database: Database) -> None:
    with database.transaction() as session:
        phone = store_phone(session, serial="R58M")
        phones.quarantine(session, phone, "drifts")
    [shown] = do(client, "GET", "/phones")["phones"]
    assert (shown["serial"], shown["state"], shown["simulated"]) == ("R58M", "quarantined", True)
    assert do(client, "POST", "/phones/R58M/release") == {"serial": "R58M", "changed": True}
    assert do(client, "POST", "/phones/R58M/release")["changed"] is False
    assert refused(client, "POST", "/phones/none/release")[0] == 404
    assert do(client, "GET", "/phones/usage?days=3")["phones"][0]["serial"] == "R58M"
    assert do(client, "GET", "/phones/R58M/drift") == {"serial": "R58M", "checks": []}


def test_events_page_by_page(client: TestClient, results: Results) -> None:
    newest = do(client, "GET", "/events?limit=3")["events"]
    assert [event["id"] for event in newest] == sorted(event["id"] for event in newest)
    done = do(client, "GET", "/events?after=0&kinds=candidate_finished&search=faces-demo")["events"]
    assert [event["candidate_id"] for event in done] == results.ids[:6]
    assert refused(client, "GET", "/events?kinds=nonsense")[0] == 422
    assert refused(client, "GET", "/events?search=nonsense")[0] == 404
    assert do(client, "GET", "/workers") == {"workers": []}
