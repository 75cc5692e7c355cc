"""A page as it is sent: what it is about, in attributes; the modules of `static/js` ask the API for all the rest."""

from typing import Any

from fastapi import Request, Response

from dashboard.auth.identity import Identity
from dashboard.pages.rendering import page
from dashboard.services import services_of


def shell(request: Request, identity: Identity, template: str, **values: Any) -> Response:
    """values: what the template names. Logging out makes sense only where one has logged in."""
    return page(request, template, identity, logout=not services_of(request).entrance.open, **values)


def missing(request: Request, identity: Identity, what: str) -> Response:
    """For people, where the API would answer 404."""
    return page(request, "missing.html", identity, status=404, logout=not services_of(request).entrance.open, what=what)
