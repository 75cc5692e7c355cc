"""Questions to a database of results: front, candidates, candidate, search, phones, db."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from cli_results import Results, store_results
from click.testing import CliRunner, Result
from factories import store_experiment
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services import RunningPostgres
from sqlalchemy import text

from cli.main import main
from db import experiments
from db.session import Database


@pytest.fixture(scope="module")
def stored(postgres: RunningPostgres, template_database: str) -> tuple[str, Results]:
    """Address of a database, and the results in it: made once, since questions change nothing."""
    url = postgres.create_database("cli_queries", template_database)
    database = Database(url)
    results = store_results(database)
    database.dispose()
    return url, results


@pytest.fixture
def results(stored: tuple[str, Results], monkeypatch: pytest.MonkeyPatch) -> Results:
    url, results = stored
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", url)
    return results


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def ask(*arguments: str) -> Any:
    """The JSON that a command prints; nothing else may be on stdout."""
    result = run(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def refusal(*arguments: str) -> str:
    """The one line that a command with wrong input prints."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("paretofarm: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("paretofarm: ").strip()


def test_front_json_is_what_scripts_rely_on(results: Results) -> None:
    answer = ask("front", "faces-demo")
    assert {key: answer[key] for key in ("search", "device")} == {"search": "faces-demo", "device": "virtual"}
    assert [member["id"] for member in answer["candidates"]] == results.ids[:3]
    first = answer["candidates"][0]
    assert set(first) == {"id", "digest", "status", "metrics", "intervals", "simulated"}
    assert len(first["digest"]) == 64
    assert first["status"] == "complete"
    assert first["metrics"] == {
        "parameters": 2000,
        "macs": 5000000,
        "network_bytes": 2048,
        "latency_ms": 2,
        "miou": 0.3,
    }
    assert first["intervals"] == {"latency_ms": [1.98, 2.02]}
    assert first["simulated"] is True


def test_a_search_is_found_by_id_too(results: Results) -> None:
    assert ask("front", str(results.search.id)) == ask("front", "faces-demo")


def test_front_as_a_table(results: Results) -> None:
    text = run("front", "faces-demo").stdout
    assert text.splitlines()[0] == "Pareto front of faces-demo on virtual (simulated phone): 3 members"
    rows = [line.split() for line in text.splitlines() if line.strip()[:1].isdigit()]
    assert [row[0] for row in rows] == [str(number) for number in results.ids[:3]]
    assert rows[1][2:4] == ["4.00", "(3.96–4.04)"]


def test_csv_has_the_same_columns_for_front_and_candidates(results: Results) -> None:
    front = list(csv.DictReader(io.StringIO(run("front", "faces-demo", "--csv").stdout)))
    rows = list(csv.DictReader(io.StringIO(run("candidates", "faces-demo", "--csv").stdout)))
    assert list(front[0]) == list(rows[0])
    assert [row["status"] for row in rows] == ["complete"] * 4 + ["infeasible", "failed", "proposed"]
    assert (rows[0]["latency_ms"], rows[0]["latency_low_ms"], rows[0]["latency_high_ms"]) == ("2", "1.98", "2.02")
    assert rows[5]["reason"] == "build: OutOfMemory: 4 GiB"
    assert rows[6]["miou"] == ""


def test_json_and_csv_exclude_each_other(results: Results) -> None:
    assert run("front", "faces-demo", "--json", "--csv").exit_code == 2


def test_front_is_drawn(results: Results, tmp_path: Path) -> None:
    picture = tmp_path / "front.png"
    result = run("front", "faces-demo", "--plot", str(picture), "--json")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert json.loads(result.stdout)["search"] == "faces-demo"
    assert result.stderr == f"picture: {picture}\n"


def test_pictures_are_refused_before_anything_is_asked(results: Results, tmp_path: Path) -> None:
    assert refusal("front", "faces-demo", "--plot", str(tmp_path / "a.gif")).endswith(".png, .pdf, .svg")
    assert "No such file" in refusal("front", "faces-demo", "--plot", str(tmp_path / "none" / "a.png"))


def test_an_empty_front_says_so(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", database_url)
    with database.transaction() as session:
        store_experiment(session, name="fresh")
    result = run("front", "fresh", "--plot", str(tmp_path / "fresh.png"))
    assert result.exit_code == 0
    assert "fresh has no complete, feasible candidate" in result.stderr
    assert ask("front", "fresh")["candidates"] == []


def test_candidates_are_all_there(results: Results) -> None:
    answer = ask("candidates", "faces-demo")
    assert [candidate["id"] for candidate in answer["candidates"]] == results.ids
    assert [
        candidate["id"] for candidate in ask("candidates", "faces-demo", "--limit", "2")["candidates"]
    ] == results.ids[:2]
    table = run("candidates", "faces-demo").stdout
    assert "failed" in table
    assert "build: OutOfMemory: 4 GiB" in table


def test_a_limit_beyond_every_number_of_the_database_is_refused(results: Results) -> None:
    assert "99999999999999999999999 is not in the range" in refusal("candidates", "faces-demo", "--limit", "9" * 23)


def test_unknown_search_names_what_is_near(results: Results) -> None:
    assert refusal("front", "face-demo") == "there is no search 'face-demo'; there is faces-demo"
    assert refusal("candidates", "face-demo") == refusal("search", "show", "face-demo")


def test_unknown_device_class(results: Results) -> None:
    complaint = "the search 'faces-demo' knows no device class 'pixel-8'; it has virtual"
    assert refusal("front", "faces-demo", "--device", "pixel-8") == complaint
    assert refusal("candidates", "faces-demo", "--device", "pixel-8") == complaint


def test_a_candidate_in_full(results: Results) -> None:
    answer = ask("candidate", str(results.ids[1]))
    assert answer["search"] == "faces-demo"
    assert [(work["step"], work["status"]) for work in answer["evaluations"]] == [
        ("build", "done"),
        ("compile@virtual", "done"),
        ("measure@virtual", "done"),
        ("train@0", "done"),
    ]
    assert [epoch["train_loss"] for epoch in answer["epochs"]] == [2.5, 1.5]
    assert [artifact["kind"] for artifact in answer["artifacts"]] == ["network"]
    assert answer["measurements"][0]["simulated"] is True
    assert answer["per_class"]["hat"] is None
    text = run("candidate", str(results.ids[1])).stdout
    for part in (
        "candidate",
        "4.00 (3.96–4.04)",
        "measure@virtual",
        "▁█ 0.2500 → 0.5000",
        "IoU 0.6000",
        "file:///store/",
    ):
        assert part in text


def test_a_failed_candidate_says_why(results: Results) -> None:
    assert "failed: build: OutOfMemory: 4 GiB" in run("candidate", str(results.ids[5])).stdout


def test_unknown_candidate(results: Results) -> None:
    assert refusal("candidate", "987654321").startswith("there is no candidate 987654321")
    assert run("candidate", "abc").exit_code == 2


def test_searches_are_listed(results: Results) -> None:
    (search,) = ask("search", "list")
    assert (search["name"], search["status"], search["front"], search["target"]) == ("faces-demo", "running", 3, 24)
    assert search["candidates"] == {
        "proposed": 1,
        "running": 0,
        "paused": 0,
        "complete": 4,
        "infeasible": 1,
        "failed": 1,
    }
    assert "faces-demo   running       4/24" in run("search", "list").stdout


def test_a_search_is_shown(results: Results) -> None:
    assert ask("search", "show", "faces-demo")["stages"] == {"build": {"leased": 0, "queued": 1}}
    text = run("search", "show", "faces-demo").stdout
    assert "1 proposed, 0 running, 4 complete, 1 infeasible, 1 failed; 24 complete ones wanted" in text
    assert "build 0 at work, 1 waiting" in text


def test_a_search_is_stopped_and_resumed(results: Results) -> None:
    assert run("search", "stop", "faces-demo").stderr == "faces-demo: stopped\n"
    assert run("search", "stop", "faces-demo").stderr == "faces-demo: nothing to do, it is stopped\n"
    assert ask("search", "show", "faces-demo")["status"] == "stopped"
    assert run("search", "resume", "faces-demo").stderr == "faces-demo: resumed\n"
    assert ask("search", "show", "faces-demo")["status"] == "running"


def test_the_time_of_a_stopped_search_stands_still(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", database_url)
    with database.transaction() as session:
        stored = store_experiment(session, name="halted")
        experiments.stop(session, stored.id)
        session.execute(text("UPDATE experiments SET created_at = created_at - interval '1 hour'"))
        session.execute(text("ALTER TABLE events DISABLE TRIGGER USER"))
        session.execute(text("UPDATE events SET at = at - interval '10 minutes'"))
    assert round(ask("search", "show", "halted")["elapsed_s"]) == 50 * 60


def test_phones_are_listed(results: Results) -> None:
    (phone,) = ask("phones")
    assert (phone["device"], phone["state"], phone["simulated"]) == ("virtual", "ready", True)
    assert "(simulated)" in run("phones").stdout


def test_psql_answers(results: Results, capfd: pytest.CaptureFixture[str]) -> None:
    result = run("db", "shell", "-A", "-t", "-c", "select count(*) from pareto_front where search = 'faces-demo'")
    assert result.exit_code == 0
    assert capfd.readouterr().out == "3\n"


def test_psql_s_failure_is_ours(results: Results) -> None:
    assert run("db", "shell", "-c", "select nonsense").exit_code == 1


def test_an_unmigrated_database_is_named(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", empty_database_url)
    result = run("front", "faces-demo")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("`paretofarm db upgrade`\n")
    assert run("db", "upgrade").stdout.startswith("migrated from nothing to ")
    assert run("db", "upgrade").stdout.startswith("up to date")
    assert run("front", "faces-demo").stderr == "paretofarm: there is no search 'faces-demo'; there is none yet\n"


def test_an_unreachable_database_is_one_line_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", "postgresql://user:pa55word@127.0.0.1:1/base")
    result = run("front", "faces-demo")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "127.0.0.1:1/base does not answer" in result.stderr
    assert "pa55word" not in result.stderr


def test_a_url_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", "mysql://user:pa55word@host/base")
    assert "pa55word" not in refusal("front", "faces-demo")


def selected(results: Results, *arguments: str) -> list[int]:
    """Which of the candidates an answer holds, by their place in the order of proposal."""
    answer = ask("candidates", "faces-demo", *arguments)
    return [results.ids.index(candidate["id"]) for candidate in answer["candidates"]]


def test_what_a_virtual_phone_measured_is_labelled_wherever_it_is_shown(results: Results) -> None:
    first = run("candidates", "faces-demo", "--limit", "1").stdout.splitlines()[0]
    assert first == "faces-demo: 1 candidate, latency on virtual (simulated phone)"
    unmeasured = run("candidates", "faces-demo", "--where", "status = 'proposed'").stdout.splitlines()[0]
    assert unmeasured == "faces-demo: 1 candidate, latency on virtual"
    candidate = run("candidate", str(results.ids[1])).stdout
    metrics = next(line.split() for line in candidate.splitlines() if "latency_ms on virtual" in line)
    assert metrics == ["latency_ms", "on", "virtual", "(simulated)", "4.00", "(3.96–4.04)"]
    assert "measured on virtual (simulated phone)" in candidate
    assert "(simulated)" in run("phones").stdout
    assert "virtual (simulated)\n" in run("search", "show", "faces-demo").stdout
    assert ask("search", "show", "faces-demo")["simulated_devices"] == ["virtual"]
    assert ask("candidate", str(results.ids[1]))["simulated"] is True
    assert ",true,false," in run("candidates", "faces-demo", "--csv", "--limit", "1").stdout.splitlines()[1]


def test_blocks_that_did_not_count_are_told_apart(results: Results) -> None:
    assert "blocks used; 0 blocks did not count" in run("candidate", str(results.ids[1])).stdout


def test_candidates_are_filtered_and_sorted(results: Results) -> None:
    assert selected(results, "--where", "latency_ms<4.5 and miou>0.4") == [1]
    assert selected(results, "--where", "status in ('failed', 'infeasible')") == [4, 5]
    assert selected(results, "--where", "not (miou < 0.65) and simulated = true") == [2]
    assert selected(results, "--sort=-miou", "--limit", "3") == [2, 3, 1]
    assert selected(results, "--sort", "latency_ms", "--where", "miou>0") == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ("miuo > 1", "unknown column 'miuo', did you mean miou?"),
        ("miou >", "position 7"),
        ("miou > 'a'", "expected number"),
        ("miou > 1; drop table candidates", "position 9"),
        ("", "position 1"),
        (
            "status = 'finished'",
            "is never 'finished', but one of proposed, running, paused, complete, infeasible, failed",
        ),
        ("status in ('failed', 'done')", "is never 'done', but one of"),
    ],
)
def test_a_wrong_condition_is_the_users_input(results: Results, condition: str, complaint: str) -> None:
    assert complaint in refusal("candidates", "faces-demo", "--where", condition)


def test_a_wrong_order_is_the_users_input(results: Results) -> None:
    assert "unknown column 'speed'" in refusal("candidates", "faces-demo", "--sort", "speed")


WORDS = st.sampled_from(
    [
        "miou",
        "latency_ms@virtual",
        "status",
        "(",
        ")",
        "and",
        "or",
        "not",
        "in",
        "<",
        "=",
        "0.5",
        "'x'",
        ",",
        "null",
        "--",
        ";",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=12).map(" ".join)))
def test_no_text_whatever_breaks_a_condition(results: Results, condition: str) -> None:
    result = run("candidates", "faces-demo", f"--where={condition}", "--json")
    assert result.exit_code in (0, 2)
    if result.exit_code == 2:
        assert (result.stdout, result.stderr.count("\n")) == ("", 1)
        assert result.stderr.startswith("paretofarm: ")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40))
def test_no_text_whatever_breaks_a_name_or_an_order(results: Results, text: str) -> None:
    assert run("candidates", "--sort", text, "--", "faces-demo").exit_code in (0, 2)
    assert run("front", "--device", text, "--", "faces-demo").exit_code in (0, 2)
    assert run("search", "show", "--", text).exit_code in (0, 2)
