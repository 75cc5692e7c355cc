"""Requests to one dashboard: JSON in, JSON out, problems as errors."""

import json
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from paretofarm.errors import ConfigError, Conflict, NotFound, ParetofarmError, ServiceError

API = "/api/v1"
PROBLEM_BYTES = 100_000
Document = dict[str, Any]
Parameters = Mapping[str, Any]


class ApiError(ServiceError):
    """The dashboard does not answer, or not as it should. status: of the answer, 0 where there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the token to wherever it leads."""

    def redirect_request(self, *arguments: Any, **keywords: Any) -> None:
        return None


class Connection:
    """url: of the dashboard; token: None for one that is open. Errors of all calls: ApiError, NotFound, Conflict,
    ConfigError for what the dashboard cannot understand. Safe to share between threads."""

    def __init__(self, url: str, token: str | None, *, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ConfigError(f"{url!r} is not the address of a dashboard, such as http://127.0.0.1:8080")
        self._base = url.rstrip("/") + API
        self._token = token
        self._timeout_s = timeout_s
        self._opener: OpenerDirector = build_opener(_NoRedirects)

    def get(self, path: str, parameters: Parameters | None = None) -> Document:
        return self._json("GET", path, parameters)

    def post(self, path: str, parameters: Parameters | None = None, *, content: str = "", kind: str = "") -> Document:
        return self._json("POST", path, parameters, content.encode(), kind)

    def patch(self, path: str, document: Document) -> Document:
        return self._json("PATCH", path, None, json.dumps(document).encode(), "application/json")

    def delete(self, path: str) -> Document:
        return self._json("DELETE", path, None)

    def open(self, path: str, parameters: Parameters | None = None) -> HTTPResponse:
        """The answer as a stream; the caller closes it."""
        return self._send("GET", path, parameters, None, "")

    def _json(
        self, method: str, path: str, parameters: Parameters | None, body: bytes | None = None, kind: str = ""
    ) -> Document:
        with self._send(method, path, parameters, body, kind) as answer:
            try:
                document = json.loads(answer.read())
            except (ValueError, HTTPException, OSError) as error:
                raise ApiError(f"{self._base}{path}: not the answer of a dashboard: {error}") from error
        if not isinstance(document, dict):
            raise ApiError(f"{self._base}{path}: not the answer of a dashboard")
        return document

    def _send(
        self, method: str, path: str, parameters: Parameters | None, body: bytes | None, kind: str
    ) -> HTTPResponse:
        given = {name: _text(value) for name, value in (parameters or {}).items() if value is not None}
        url = f"{self._base}{path}" + (f"?{urlencode(given)}" if given else "")
        headers = {"Accept": "application/json"}
        headers |= {"Authorization": f"Bearer {self._token}"} if self._token else {}
        headers |= {"Content-Type": kind} if kind else {}
        request = Request(url, data=body, headers=headers, method=method)
        try:
            answer = self._opener.open(request, timeout=self._timeout_s)
        except HTTPError as error:
            raise _problem(error) from error
        except (URLError, HTTPException, OSError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            raise ApiError(f"{self._base} does not answer: {reason}") from error
        assert isinstance(answer, HTTPResponse)
        return answer


def _problem(error: HTTPError) -> ParetofarmError:
    with error:
        try:
            detail = str(json.loads(error.read(PROBLEM_BYTES))["detail"])
        except (ValueError, KeyError, TypeError, OSError):
            detail = f"{error.code} {error.reason}"
    if error.code == 404:
        return NotFound(detail)
    if error.code == 409:
        return Conflict(detail)
    return ConfigError(detail) if error.code in (400, 422) else ApiError(detail, error.code)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
