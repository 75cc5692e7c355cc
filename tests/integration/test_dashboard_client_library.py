"""`paretofarm.client` against a running dashboard, and the notebook that uses it."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cli_results import Results, store_results
from dashboard_client import make_app, make_token, running
from factories import DOCUMENT
from sqlalchemy import text

from db.artifacts import ArtifactStore
from db.session import Database
from paretofarm.access import Scope
from paretofarm.client import ApiError, Farm, connect
from paretofarm.errors import ConfigError, Conflict, NotFound

NOTEBOOK = Path(__file__).parents[2] / "examples/notebook/pick_a_network.ipynb"
TIMEOUT_S = 120


@pytest.fixture
def results(database: Database, tmp_path: Path) -> Results:
    """With a file in the store for what the second candidate has compiled."""
    results = store_results(database)
    stored = ArtifactStore((tmp_path / "store").as_uri()).put_bytes(b"a network", "network")
    with database.transaction() as session:
        session.execute(
            text("INSERT INTO artifacts SELECT :sha, kind, 9, uri FROM artifacts LIMIT 1"), {"sha": stored.sha256}
        )
        session.execute(text("UPDATE candidate_artifacts SET sha256 = :sha"), {"sha": stored.sha256})
    return results


@pytest.fixture
def address(database: Database, results: Results, tmp_path: Path) -> Iterator[str]:
    with running(make_app(database, tmp_path / "store")) as address:
        yield address


@pytest.fixture
def farm(address: str, database: Database) -> Farm:
    return connect(address, make_token(database, Scope.ADMIN))


def test_candidates_and_fronts_become_frames(farm: Farm, results: Results) -> None:
    faces = farm.search("faces-demo")
    good = faces.candidates(where="miou > 0.4", sort="-miou").to_pandas()
    assert list(good.index) == [results.ids[2], results.ids[3], results.ids[1]]
    assert list(good["latency_ms"]) == [8, 8, 4]
    assert list(good["latency_ms_low"]) == [7.92, 7.92, 3.96]
    front = faces.front(device="virtual").to_pandas()
    assert list(front.index) == results.ids[:3]
    assert front["simulated"].all()
    cheap = faces.front(metrics=["parameters", "miou"], where="latency_ms < 5")
    assert [each["id"] for each in cheap] == [results.ids[1], results.ids[0]]
    assert faces.candidates(where="miou > 5").to_pandas().empty


def test_pages_are_asked_for_as_they_are_needed(farm: Farm, results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paretofarm.client.search.PAGE", 2)
    faces = farm.search("faces-demo")
    assert [each["id"] for each in faces.candidates()] == results.ids
    assert [each["id"] for each in faces.candidates(limit=3)] == results.ids[:3]
    assert faces.candidates(fields=["id", "status"], limit=1).to_list() == [
        {"id": results.ids[0], "status": "complete"}
    ]


def test_everything_else_is_asked_for(farm: Farm, results: Results, tmp_path: Path) -> None:
    second = results.ids[1]
    assert [search["name"] for search in farm.searches()] == ["faces-demo"]
    assert farm.candidate(second)["number"] == 1
    assert farm.lineage(second)["complete"] is True
    assert farm.pin(second)["changed"] and farm.unpin(second)["changed"]
    assert farm.phones()[0]["simulated"] is True
    assert farm.workers() == []
    assert farm.events(limit=1)[0]["kind"] == "candidate_unpinned"
    assert farm.search("faces-demo").hypervolume()["own"] is None
    assert farm.search("faces-demo").points()["total"] == 4
    three = farm.search("faces-demo").points(x="latency_ms", y="miou", z="parameters")
    assert three["columns"]["parameters"] == [2000, 4000, 8000, 8000]
    with zipfile.ZipFile(farm.export(second, tmp_path / "network.zip")) as archive:
        assert f"faces-demo-{second}/README.md" in archive.namelist()
    sha256 = farm.candidate(second)["artifacts"][0]["sha256"]
    assert farm.artifact(sha256, tmp_path / "network").read_bytes() == b"a network"


def test_searches_are_started_changed_and_deleted(farm: Farm, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(DOCUMENT))
    mine = farm.start(file, check_data=False)
    assert mine.status()["target"] == 24
    assert mine.raise_limit(30)["target"] == 30
    with pytest.raises(Conflict, match="running: stop it first"):
        mine.delete()
    with pytest.raises(Conflict, match="not over yet"):
        mine.finish(epochs=3)
    assert mine.stop()["changed"] and mine.resume()["changed"] and mine.stop()["changed"]
    with pytest.raises(ConfigError, match="no complete and feasible candidate"):
        mine.finish(epochs=3, recipe="search")
    assert mine.delete()["name"] == "demo"
    with pytest.raises(NotFound, match="there is no search 'demo'"):
        mine.status()


def test_errors_say_what_the_dashboard_says(farm: Farm, address: str, results: Results, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown column 'miuo', did you mean miou"):
        farm.search("faces-demo").candidates(where="miuo > 1").to_list()
    with pytest.raises(ApiError, match="a token is needed"):
        connect(address).searches()
    with pytest.raises(ApiError, match="does not answer"):
        connect("http://127.0.0.1:1").searches()
    with pytest.raises(ConfigError, match="not the address of a dashboard"):
        connect("file:///etc/passwd")
    with pytest.raises(NotFound):
        farm.artifact("0" * 64, tmp_path / "nothing")
    assert not list(tmp_path.glob("*nothing*"))


def test_the_notebook_runs(address: str, database: Database, results: Results, tmp_path: Path) -> None:
    """Cell by cell, as Jupyter would, without Jupyter."""
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells), "outputs are not kept"
    script = tmp_path / "notebook.py"
    script.write_text("\n".join("".join(cell["source"]) for cell in cells))
    environment = {
        "PARETOFARM_URL": address,
        "PARETOFARM_TOKEN": make_token(database, Scope.READ),
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": str(tmp_path),
        "PATH": "",
    }
    argv = [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert (done.returncode, done.stderr) == (0, "")
    [archive] = tmp_path.glob("faces-demo-*.zip")
    assert zipfile.is_zipfile(archive)
