"""Errors as RFC 9457 problem documents. The only place that knows which error is which status."""

import logging
from http import HTTPStatus
from typing import Any

import psycopg2.errorcodes as pgcodes
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, DBAPIError
from starlette.exceptions import HTTPException

from dashboard.auth.refusal import Forbidden, TooManyAttempts, Unauthorized
from paretofarm.errors import (
    ArtifactMissing,
    Conflict,
    DatabaseRefused,
    NotFound,
    ParetofarmError,
    ServiceError,
    Unavailable,
    UserError,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
STATUSES: dict[type[ParetofarmError], HTTPStatus] = {
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    TooManyAttempts: HTTPStatus.TOO_MANY_REQUESTS,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    ArtifactMissing: HTTPStatus.GONE,
    UserError: HTTPStatus.BAD_REQUEST,
    ServiceError: HTTPStatus.SERVICE_UNAVAILABLE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""By the nearest class that an error is of."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
    },
}
ANY_PROBLEM: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "What is asked for is wrong", "content": {MEDIA_TYPE: {"schema": SCHEMA}}},
    "5XX": {"description": "A service that is needed does not answer", "content": {MEDIA_TYPE: {"schema": SCHEMA}}},
}
"""For the OpenAPI description of a router."""


def problem(
    status: int, detail: str, *, code: str = "", headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    if code:
        body["code"] = code
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def status_of(error: ParetofarmError) -> HTTPStatus:
    if isinstance(error, DatabaseRefused) and isinstance(error.__cause__, DataError):
        return HTTPStatus.BAD_REQUEST  # a number too great for its column
    known = (STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    return next(known, HTTPStatus.INTERNAL_SERVER_ERROR)


def install(app: FastAPI) -> None:
    """Makes the application answer every error with a problem document."""
    app.add_exception_handler(ParetofarmError, _ours)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(Exception, _bug)


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, ParetofarmError)
    status = status_of(error)
    headers: dict[str, str] = {}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = f"{error.wait_s:.0f}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("%s %s: %s", request.method, request.url.path, error)
    return problem(status, error.message, code=error.code, headers=headers)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return problem(error.status_code, str(error.detail), headers=headers)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = [{"place": [str(part) for part in each["loc"]], "problem": each["msg"]} for each in error.errors()]
    detail = "; ".join(f"{'.'.join(each['place'])}: {each['problem']}" for each in found)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, code="ValidationError", errors=found)


def _database(request: Request, error: Exception) -> Response:
    assert isinstance(error, DBAPIError)
    if getattr(error.orig, "pgcode", None) == pgcodes.QUERY_CANCELED:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "the question takes the database too long", code="TooSlow")
    return _bug(request, error)


def _bug(request: Request, error: Exception) -> Response:
    """Without a word about the inside: that is in the log."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "an unexpected error: the log has more")
