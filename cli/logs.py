"""What a process writes while it runs: one line per event, to stderr, with UTC times; text, or JSON for machines."""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from paretofarm.errors import ConfigError
from paretofarm.log_context import current_fields

VARIABLE = "PARETOFARM_LOG_FORMAT"
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
FORMATS = ("text", "json")
CHATTY = ("celery", "kombu")
"""Tell of every message what our own loggers tell of every evaluation."""

log = logging.getLogger(__name__)


def log_to_stderr(*, verbose: bool = False, environment: Mapping[str, str] = os.environ) -> None:
    """For processes that run until they are stopped. Other commands log warnings only.

    PARETOFARM_LOG_FORMAT: `text` (the default) or `json`. ConfigError for anything else.
    """
    as_json = wants_json(environment)
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if as_json else _text_formatter())
    handler.addFilter(_add_fields)
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    for name in () if verbose else CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    if as_json:
        _log_what_python_prints()


def wants_json(environment: Mapping[str, str]) -> bool:
    """ConfigError for a format that there is not."""
    chosen = environment.get(VARIABLE) or FORMATS[0]
    if chosen not in FORMATS:
        raise ConfigError(f"{VARIABLE} is {chosen!r}, must be one of {', '.join(FORMATS)}")
    return chosen == "json"


def says_errors_as_json() -> bool:
    """Whether `log_to_stderr` has made this process's stderr JSON, so that its last words must be too."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)


class JsonFormatter(logging.Formatter):
    """One object per line: time, level, logger, message, what the line is about, and an exception in one field."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in getattr(record, "fields", {}).items() if value is not None},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def _text_formatter() -> logging.Formatter:
    formatter = logging.Formatter(FORMAT, "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    return formatter


def _add_fields(record: logging.LogRecord) -> bool:
    """In the thread that logs, whose context it is."""
    record.fields = current_fields()
    return True


def _log_what_python_prints() -> None:
    """Warnings, and what nobody caught, would otherwise be several lines that no reader of JSON understands."""
    logging.captureWarnings(True)
    # Where Celery's signal handlers say that they were called, past all logging.
    sys.__stdout__ = None  # type: ignore[misc]
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda arguments: _log_uncaught(
        arguments.exc_type, arguments.exc_value, arguments.exc_traceback
    )


def _log_uncaught(kind: type[BaseException], error: BaseException | None, at: TracebackType | None) -> None:
    log.critical("nobody caught %s", kind.__name__, exc_info=(kind, error or kind(), at))
