"""Numbers and events as people read them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.words import duration, event_text, heading, interval_text, metric_text
from db.events import Event, EventKind


def make_event(kind: EventKind, **details: Any) -> Event:
    return Event(1, datetime(2026, 1, 1, tzinfo=UTC), kind, 1, 12, 30, None, details)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("miou", 0.61234, "0.6123"),
        ("latency_ms@virtual", 3.21987, "3.22"),
        ("parameters", 1234567.0, "1,234,567"),
        ("latency_ms@virtual", None, "-"),
    ],
)
def test_metrics_have_the_digits_that_count(key: str, value: float | None, text: str) -> None:
    assert metric_text(key, value) == text


def test_headings_have_the_unit_once() -> None:
    assert [heading("latency_ms@virtual"), heading("network_bytes"), heading("miou")] == [
        "latency_ms",
        "network_bytes",
        "miou",
    ]


def test_an_interval_is_shown_as_it_is_skewed_or_not() -> None:
    assert interval_text("latency_ms", 0.215, (0.2112, 0.2305)) == "0.215 (0.211–0.231)"
    assert interval_text("latency_ms", 3.2, (3.1, 3.4)) == "3.20 (3.10–3.40)"
    assert interval_text("latency_ms", 0.0215, (0.0212, 0.0231)) == "0.0215 (0.0212–0.0231)"
    assert interval_text("latency_ms", 215.04, (210, 220)) == "215.0 (210.0–220.0)"
    assert interval_text("latency_ms", 3.2, None) == "3.2"


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "0 s"), (12.4, "12 s"), (185, "3:05 min"), (7800, "2:10 h"), (3.4 * 86400, "3.4 days")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_failure_is_one_line() -> None:
    event = make_event(EventKind.CANDIDATE_FINISHED, status="failed", reason="train@0: OutOfMemory:\nno space")
    assert event_text(event) == "candidate 12 is failed: train@0: OutOfMemory: no space"


def test_a_retry_names_its_cause() -> None:
    event = make_event(EventKind.EVALUATION_REQUEUED, code="PhoneOffline", reason="cable pulled")
    assert event_text(event) == "candidate 12 is tried again: PhoneOffline: cable pulled"


def test_most_events_are_not_worth_a_line() -> None:
    assert event_text(make_event(EventKind.EVALUATION_CLAIMED)) is None
