"""`paretofarm phones`: states, release from quarantine, usage."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from factories import store_phone

from cli.main import main
from db import phone_work, phones
from db.phone_work import EndedWork, WorkKind
from db.phones import PhoneState
from db.session import Database
from db.tables import PhoneRow


@pytest.fixture(autouse=True)
def farm(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hot phone, and one in quarantine that measured for an hour before."""
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", database_url)
    with database.transaction() as session:
        hot = store_phone(session, serial="HOT")
        conditions = {"battery_temperature": 44.5, "temperatures": {"skin": 46.0}}
        phones.set_state(session, hot, PhoneState.COOLING, "the battery is at 44.5 °C", conditions)
        sick = store_phone(session, serial="SICK", device="sm8550", simulated=False)
        phones.quarantine(session, sick, "nothing helped: Transport layer setup failed: 14001")
        work = [EndedWork(WorkKind.MEASUREMENT, "done", 3600.0), EndedWork(WorkKind.CHECK, "failed", 60.0)]
        phone_work.store(session, sick, work)
        session.query(PhoneRow).update({"created_at": phone_work.now(session).replace(year=2025)})


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["phones", *arguments], catch_exceptions=False)


def ask(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def test_a_phone_says_how_it_is_why_since_when_and_how_hot() -> None:
    hot, sick = ask()
    assert (hot["state"], hot["state_reason"]) == ("cooling", "the battery is at 44.5 °C")
    assert hot["temperature_celsius"] == 44.5
    assert hot["state_since"][:19] <= hot["last_seen_at"][:19]  # to the second: the two are told within a microsecond
    assert (sick["state"], hot["quarantined_at"]) == ("quarantined", None)
    assert sick["quarantined_at"] >= sick["state_since"]
    table = run().stdout
    assert "44.5" in table
    assert "Transport layer setup failed: 14001" in table


def test_a_quarantine_is_ended_by_name() -> None:
    assert "SICK is released" in run("release", "SICK").stderr
    assert ask()[1]["state"] == "suspect"
    assert ask()[1]["quarantined_at"] is None
    assert "SICK was in no quarantine" in run("release", "SICK").stderr


def test_a_phone_that_there_is_not_cannot_be_released() -> None:
    result = run("release", "S9")
    assert result.exit_code == 2
    assert "there is no phone with the serial number 'S9'" in result.stderr


def test_before_there_is_any_phone_none_can_be_released(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PARETOFARM_DATABASE_URL")
    monkeypatch.setenv("PARETOFARM_DATA", str(tmp_path / "nothing yet"))
    result = run("release", "S9")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no phone with the serial number 'S9'" in result.stderr


def test_usage_is_told_by_the_day() -> None:
    idle, sick = ask("--usage", "--days", "2")
    assert [day["busy_share"] for day in idle["days"]] == [0.0, 0.0]
    assert sum(day["busy_s"] for day in sick["days"]) == pytest.approx(3600, abs=2)
    by_kind = [day["by_kind_s"].get("check", 0.0) for day in sick["days"]]
    assert sum(by_kind) == pytest.approx(60, abs=2)
    table = run("--usage", "--days", "2").stdout
    assert "virtual (simulated)" in table
    assert "measurement" in table


def test_days_must_be_a_number_of_days() -> None:
    result = run("--usage", "--days", "0")
    assert result.exit_code == 2
    assert "--days" in result.stderr
