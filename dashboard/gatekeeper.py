"""What every request goes through before anything looks at it: the name it asks for, and the size of what it brings.

And what every answer is sent with. Plain ASGI: streams pass as they are.
"""

import time
from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.auth.entrance import Entrance
from dashboard.problems import problem
from paretofarm import instruments
from paretofarm.meter import Meter

METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
LARGEST_BODY = 1_100_000
"""An experiment file and a little."""
TOO_LARGE = f"a request has at most {LARGEST_BODY} bytes"

SECURITY_HEADERS: Mapping[str, str] = {
    # style-src: charts set styles from scripts through the object model, which needs no exception.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: with that, browsers send our own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class BodyTooLarge(HTTPException):
    """More came than was announced, or than is allowed. Of this kind, since the framework hides all others."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)


class Gatekeeper:
    """Refuses strange `Host:` headers (421) and oversized bodies (413); adds the security headers."""

    def __init__(self, app: ASGIApp, entrance: Entrance, meter: Meter) -> None:
        self._app = app
        self._entrance = entrance
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        guarded = self._counted(scope["method"], _with_headers(send))
        if not self._entrance.knows(headers.get("host", "")):
            refusal = problem(HTTPStatus.MISDIRECTED_REQUEST, "nobody of that name lives here: see --allow-host")
            await refusal(scope, receive, guarded)
        elif _announced(headers) > LARGEST_BODY:
            await problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)(scope, receive, guarded)
        else:
            await self._app(scope, _limited(receive), guarded)

    def _counted(self, method: str, send: Send) -> Send:
        started = time.monotonic()

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = method if method in METHODS else "other"
                self._meter.add(instruments.HTTP_REQUESTS, method=known, status=str(message["status"]))
                self._meter.observe(instruments.HTTP_SECONDS, time.monotonic() - started)
            await send(message)

        return counting


def _announced(headers: Headers) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else LARGEST_BODY + 1


def _limited(receive: Receive) -> Receive:
    """For bodies whose size was not announced."""
    seen = 0

    async def counting() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > LARGEST_BODY:
            raise BodyTooLarge
        return message

    return counting


def _with_headers(send: Send) -> Send:
    async def adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return adding
