"""Questions to the HTTP API: searches, candidates, fronts."""

import base64
import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet
import pytest
from cli_results import Results, store_results
from click.testing import CliRunner
from dashboard_client import asking, make_app, make_token
from factories import store_experiment
from fastapi.testclient import TestClient
from services import RunningPostgres

from cli.main import main
from db.session import Database
from paretofarm.access import Scope


@pytest.fixture(scope="module")
def stored(postgres: RunningPostgres, template_database: str) -> Iterator[tuple[Database, Results]]:
    """Made once, since questions change nothing."""
    database = Database(postgres.create_database("dashboard_queries", template_database))
    results = store_results(database)
    with database.transaction() as session:
        store_experiment(session, name="fresh")
    yield database, results
    database.dispose()


@pytest.fixture(scope="module")
def client(stored: tuple[Database, Results], tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    database, _ = stored
    app = make_app(database, tmp_path_factory.mktemp("store"))
    with asking(app, make_token(database, Scope.READ)) as client:
        yield client


@pytest.fixture
def results(stored: tuple[Database, Results]) -> Results:
    return stored[1]


def ask(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(f"/api/v1{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(client: TestClient, path: str, **parameters: Any) -> tuple[int, str]:
    answer = client.get(f"/api/v1{path}", params=parameters)
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["detail"]


def cli_json(stored: tuple[Database, Results], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    url = stored[0].url.render_as_string(hide_password=False)
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", url)
    return json.loads(CliRunner().invoke(main, [*arguments, "--json"], catch_exceptions=False).stdout)


def test_answers_are_those_of_the_command_line(
    client: TestClient, stored: tuple[Database, Results], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = str(stored[1].ids[0])
    assert ask(client, f"/candidates/{first}") == cli_json(stored, monkeypatch, "candidate", first)
    page = ask(client, "/searches/faces-demo/candidates")
    assert page.pop("next") is None
    assert page == cli_json(stored, monkeypatch, "candidates", "faces-demo")
    front = ask(client, "/searches/faces-demo/front")
    assert front["candidates"] == cli_json(stored, monkeypatch, "front", "faces-demo")["candidates"]
    shown = cli_json(stored, monkeypatch, "search", "show", "faces-demo")
    assert {*ask(client, "/searches/faces-demo"), "spent"} == {*shown, "experiment"}


def test_searches_are_listed(client: TestClient) -> None:
    faces, fresh = ask(client, "/searches")["searches"]
    assert (faces["name"], faces["candidates"]["complete"], faces["front"]) == ("faces-demo", 4, 3)
    assert faces["simulated_devices"] == ["virtual"]
    assert (fresh["name"], fresh["front"]) == ("fresh", 0)


def test_progress(client: TestClient) -> None:
    answer = ask(client, "/searches/faces-demo/progress")
    assert answer["stages"] == {"build": {"leased": 0, "queued": 1}}
    assert answer["candidates"]["failed"] == 1
    assert answer["status"] == "running"


def test_unknown_things_are_404_and_name_what_is_near(client: TestClient) -> None:
    assert refusal(client, "/searches/face-demo") == (404, "there is no search 'face-demo'; there is faces-demo")
    assert refusal(client, "/candidates/987654321")[0] == 404
    assert refusal(client, "/nothing")[0] == 404


def places(results: Results, answer: Any) -> list[int]:
    """Which candidates an answer holds, by their place in the order of proposal."""
    return [results.ids.index(candidate["id"]) for candidate in answer["candidates"]]


@pytest.mark.parametrize(
    "sort", [None, "-number", "reason", "-load_ms", "miou", "-miou", "-latency_ms", "status", "-noisy"]
)
@pytest.mark.parametrize("limit", [2, 3])
def test_pages_follow_one_another(client: TestClient, results: Results, sort: str | None, limit: int) -> None:
    order = {} if sort is None else {"sort": sort}
    whole = places(results, ask(client, "/searches/faces-demo/candidates", **order))
    assert sorted(whole) == list(range(7))
    found: list[int] = []
    after: dict[str, str] = {}
    while True:
        page = ask(client, "/searches/faces-demo/candidates", limit=limit, **order, **after)
        assert len(page["candidates"]) <= limit
        found += places(results, page)
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == whole


def test_candidates_without_a_value_come_last(client: TestClient, results: Results) -> None:
    for sort, first in (("miou", [0, 1, 3, 2]), ("-miou", [2, 3, 1, 0])):
        assert places(results, ask(client, "/searches/faces-demo/candidates", sort=sort))[:4] == first


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("latency_ms<4.5 and miou>0.4", [1]),
        ("status in ('failed', 'infeasible')", [4, 5]),
        ("not (miou < 0.65) and simulated = true", [2]),
        ("miou = null", [4, 5, 6]),
        ("latency_ms@virtual >= 8 or status = 'proposed'", [2, 3, 6]),
        ("latency_low_ms < 2", [0]),
        ("reason = 'build: OutOfMemory: 4 GiB'", [5]),
        ("load_ms < 100 or peak_memory_bytes@virtual < 1", []),
        ("latency_sustained_ms = null and status = 'failed'", [5]),
    ],
)
def test_conditions_are_those_of_the_command_line(
    client: TestClient, results: Results, where: str, expected: list[int]
) -> None:
    assert places(results, ask(client, "/searches/faces-demo/candidates", where=where)) == expected


def test_fields_are_chosen(client: TestClient, results: Results) -> None:
    page = ask(client, "/searches/faces-demo/candidates", fields="id,miou,latency_ms@virtual,pinned", limit=1)
    assert page["candidates"] == [{"id": results.ids[0], "miou": 0.3, "latency_ms@virtual": 2, "pinned": False}]
    assert refusal(client, "/searches/faces-demo/candidates", fields="id,speed")[0] == 400


def test_csv_has_the_columns_of_the_command_line(
    client: TestClient, stored: tuple[Database, Results], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = client.get("/api/v1/searches/faces-demo/candidates", params={"format": "csv", "limit": 5})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    cli_json(stored, monkeypatch, "search", "list")
    printed = CliRunner().invoke(main, ["candidates", "faces-demo", "--csv", "--limit", "5"]).stdout
    assert rows == list(csv.DictReader(io.StringIO(printed)))
    following = client.get(answer.links["next"]["url"]).text
    assert [row["status"] for row in csv.DictReader(io.StringIO(following))] == ["failed", "proposed"]


def test_parquet(client: TestClient, results: Results) -> None:
    answer = client.get("/api/v1/searches/faces-demo/candidates", params={"format": "parquet"})
    table = pyarrow.parquet.read_table(io.BytesIO(answer.content))
    assert table.column("id").to_pylist() == results.ids
    assert table.column("latency_ms").to_pylist() == [2.0, 4.0, 8.0, 8.0, None, None, None]
    assert table.column("simulated").to_pylist() == [True] * 4 + [False] * 3


def test_front_of_the_objectives(client: TestClient, results: Results) -> None:
    front = ask(client, "/searches/faces-demo/front")
    assert places(results, front) == [0, 1, 2]
    assert front["axes"] == [{"name": "miou", "goal": "maximize"}, {"name": "latency_ms@virtual", "goal": "minimize"}]
    assert ask(client, "/searches/fresh/front")["candidates"] == []


def test_front_of_other_metrics_with_a_condition(client: TestClient, results: Results) -> None:
    front = ask(client, "/searches/faces-demo/front", x="parameters", y="f1")
    assert front["candidates"] == []  # none has an f1
    front = ask(client, "/searches/faces-demo/front", x="parameters", y="latency_ms", where="miou > 0.4")
    assert places(results, front) == [1]
    assert places(results, ask(client, "/searches/faces-demo/front", where="latency_ms < 5 and miou < 0.4")) == [0]


def test_a_front_s_condition_may_be_about_what_only_candidates_know(client: TestClient, results: Results) -> None:
    origin = ask(client, "/searches/faces-demo/candidates", fields="origin", limit=1)["candidates"][0]["origin"]
    assert places(results, ask(client, "/searches/faces-demo/front", where=f"origin = '{origin}'")) == [0, 1, 2]
    assert places(results, ask(client, "/searches/faces-demo/front", where=f"not origin = '{origin}'")) == []
    assert places(results, ask(client, "/searches/faces-demo/front", where="load_ms = null")) == [0, 1, 2]
    assert ask(client, "/searches/faces-demo/front", x="load_ms", y="miou")["candidates"] == []
    assert ask(client, "/searches/faces-demo/points", x="peak_memory_bytes", y="miou")["total"] == 0


def test_three_metrics_make_a_front_and_a_plot(client: TestClient, results: Results) -> None:
    """The fourth is as fast and as small as the third, and less accurate."""
    three = {"x": "latency_ms", "y": "miou", "z": "parameters"}
    assert sorted(places(results, ask(client, "/searches/faces-demo/front", **three))) == [0, 1, 2]
    points = ask(client, "/searches/faces-demo/points", **three)
    assert [axis["name"] for axis in points["axes"]] == ["latency_ms", "miou", "parameters"]
    assert points["columns"]["parameters"] == [2000, 4000, 8000, 8000]


def test_confident_front_shows_what_overlaps(client: TestClient, results: Results) -> None:
    front = ask(client, "/searches/faces-demo/front", confident=True)
    assert sorted(places(results, front)) == [0, 1, 2, 3]
    assert front["in_doubt"] == [results.ids[3]]  # as accurate it is not, but it may be faster


def cursor(**content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"where": "miuo > 1"}, "unknown column 'miuo', did you mean miou?"),
        ({"where": "miou > 1; drop table candidates"}, "position 9"),
        ({"sort": "speed"}, "unknown column 'speed'"),
        ({"device": "pixel-8"}, "knows no device class 'pixel-8'"),
        ({"after": "bogus"}, "that is no cursor"),
        ({"after": "x" * 1000}, "that is no cursor"),
        ({"sort": "miou", "after": cursor(sort="miou", key=0.5, number=2**70)}, "that is no cursor"),
        ({"sort": "reason", "after": cursor(sort="reason", key="a\0b", number=1)}, "that is no cursor"),
        ({"after": "eyJzb3J0IjoiLW1pb3UiLCJrZXkiOjAuNSwibnVtYmVyIjozfQ"}, "belongs to the order '-miou'"),
    ],
)
def test_wrong_questions_are_400(client: TestClient, parameters: dict[str, str], complaint: str) -> None:
    status, detail = refusal(client, "/searches/faces-demo/candidates", **parameters)
    assert status == 400
    assert complaint in detail


@pytest.mark.parametrize("parameters", [{"limit": 0}, {"limit": "many"}, {"limit": 10**9}, {"format": "xml"}])
def test_parameters_of_another_kind_are_422(client: TestClient, parameters: dict[str, Any]) -> None:
    assert refusal(client, "/searches/faces-demo/candidates", **parameters)[0] == 422


def test_a_front_needs_two_metrics_or_none(client: TestClient) -> None:
    assert refusal(client, "/searches/faces-demo/front", x="miou")[0] == 400
    assert refusal(client, "/searches/faces-demo/front", x="miou", y="status")[0] == 400
    assert refusal(client, "/searches/faces-demo/front", x="miou", y="miou")[0] == 400
    assert refusal(client, "/searches/faces-demo/points", x="miou")[0] == 400
    assert refusal(client, "/searches/faces-demo/points", z="miou")[0] == 400


def test_the_description_is_served_without_anything_from_elsewhere(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert "/api/v1/searches/{name}/candidates" in paths
    page = client.get("/docs").text
    assert "GET /api/v1/searches/{name}/front" in page
    assert "<code>search list --json</code>" in page
    assert "`" not in page
    assert "http://" not in page and "https://" not in page
