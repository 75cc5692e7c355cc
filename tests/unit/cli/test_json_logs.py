"""Logs for machines: one object a line, with what the line is about."""

import contextvars
import io
import json
import logging
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from cli.logs import CHATTY, log_to_stderr
from paretofarm.errors import ConfigError
from paretofarm.log_context import current_fields, log_fields

log = logging.getLogger("a.test")


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is logged, in JSON; logging is as it was afterwards."""
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, threading.excepthook
    monkeypatch.setattr("sys.stderr", stream)
    for name in ("excepthook", "__stdout__"):
        monkeypatch.setattr(f"sys.{name}", None)
    log_to_stderr(environment={"PARETOFARM_LOG_FORMAT": "json"})
    yield stream
    logging.captureWarnings(False)
    threading.excepthook = hook
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_how_bad_who_and_what(stderr: io.StringIO) -> None:
    log.info("%s is up", "it")
    [line] = lines(stderr)
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "info", "logger": "a.test", "message": "it is up"}


def test_a_line_carries_the_ids_of_all_enclosing_blocks(stderr: io.StringIO) -> None:
    with log_fields(search="faces", candidate_id=1), log_fields(candidate_id=12, device=None):
        log.warning("hot")
    log.warning("cold")
    first, second = lines(stderr)
    assert (first["search"], first["candidate_id"]) == ("faces", 12)
    assert "device" not in first
    assert "search" not in second


def test_a_thread_with_a_copied_context_carries_them_too(stderr: io.StringIO) -> None:
    with log_fields(evaluation_id=7):
        thread = threading.Thread(target=contextvars.copy_context().run, args=(log.info, "beat"))
    thread.start()
    thread.join()
    assert [line["evaluation_id"] for line in lines(stderr)] == [7]
    assert current_fields() == {}


def test_an_exception_is_one_field(stderr: io.StringIO) -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        log.exception("it went wrong")
    [line] = lines(stderr)
    assert line["message"] == "it went wrong"
    assert line["exception"].endswith("ValueError: two\nlines")


def test_warnings_and_what_nobody_caught_are_lines_as_well(stderr: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("mind the gap", stacklevel=1)
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    first, second = lines(stderr)
    assert "mind the gap" in first["message"]
    assert (second["level"], second["message"]) == ("critical", "nobody caught ZeroDivisionError")
    assert "ZeroDivisionError: division by zero" in second["exception"]


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ConfigError, match="PARETOFARM_LOG_FORMAT is 'xml', must be one of text, json"):
        log_to_stderr(environment={"PARETOFARM_LOG_FORMAT": "xml"})
