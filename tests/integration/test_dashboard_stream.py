"""Events as they happen, over a real connection."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from dashboard_client import make_app, running
from factories import store_candidates, store_experiment

from db import experiments
from db.session import Database


@pytest.fixture
def address(database: Database, tmp_path: Path) -> Iterator[str]:
    with running(make_app(database, tmp_path, open=True)) as address:
        yield address


@contextmanager
def listening(address: str, query: str = "", **headers: str) -> Iterator[HTTPResponse]:
    request = Request(f"{address}/api/v1/events/stream{query}", headers=headers)
    with urlopen(request, timeout=20) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.readline() == b"retry: 2000\n"  # it listens from here on
        assert stream.readline() == b"\n"
        yield stream


def news(stream: HTTPResponse, number: int) -> list[Any]:
    """The documents of the next events."""
    found: list[Any] = []
    while len(found) < number:
        line = stream.readline().decode()
        assert line, "the stream has ended"
        if line.startswith("data: "):
            found.append(json.loads(line.removeprefix("data: ")))
    return found


def test_events_are_told_as_they_happen(address: str, database: Database) -> None:
    with listening(address) as stream:
        with database.transaction() as session:
            search = store_experiment(session, name="live")
        [created] = news(stream, 1)
        assert (created["kind"], created["search_id"]) == ("experiment_created", search.id)
        with database.transaction() as session:
            store_candidates(session, search.id, 2)
        assert [event["kind"] for event in news(stream, 4)] == ["candidate_proposed"] * 2 + ["evaluation_queued"] * 2


def test_who_comes_back_is_told_what_was_missed(address: str, database: Database) -> None:
    with database.transaction() as session:
        search = store_experiment(session, name="live")
    with listening(address, "?after=0") as stream:
        [created] = news(stream, 1)
    with database.transaction() as session:
        experiments.stop(session, search.id)
        experiments.resume(session, search.id)
    with listening(address, **{"Last-Event-ID": str(created["id"])}) as stream:
        assert [event["kind"] for event in news(stream, 2)] == ["experiment_stopped", "experiment_resumed"]
        with database.transaction() as session:
            experiments.stop(session, search.id)
        assert [event["kind"] for event in news(stream, 1)] == ["experiment_stopped"]


def test_only_what_was_asked_for_is_told(address: str, database: Database) -> None:
    with database.transaction() as session:
        store_experiment(session, name="one")
        other = store_experiment(session, name="other")
    with listening(address, "?search=other&kinds=experiment_stopped") as stream:
        with database.transaction() as session:
            experiments.stop(session, experiments.find(session, "one").id)
            store_candidates(session, other.id)
            experiments.stop(session, other.id)
        [event] = news(stream, 1)
        assert (event["kind"], event["search_id"]) == ("experiment_stopped", other.id)
