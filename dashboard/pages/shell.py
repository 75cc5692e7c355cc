"""A page as it is sent: what it is about, in attributes; the modules of `static/js` ask the API for all the rest."""

from http import HTTPStatus
from typing import Any

from fastapi import Request, Response

from dashboard.auth.identity import Identity
from dashboard.pages.rendering import page
from dashboard.services import services_of
from db.events import EventKind

KINDS = " ".join(kind.value for kind in EventKind)
"""A browser listens to server-sent events by name."""


def shell(request: Request, identity: Identity, template: str, **values: Any) -> Response:
    """values: what the template names. Logging out makes sense only where one has logged in."""
    return page(request, template, identity, logout=not services_of(request).entrance.open, kinds=KINDS, **values)


def missing(request: Request, identity: Identity, what: str) -> Response:
    """For people, where the API would answer 404."""
    return shell(request, identity, "missing.html", what=what, status=HTTPStatus.NOT_FOUND)
