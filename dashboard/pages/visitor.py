"""Who looks at a page. Who is not logged in is led to the login page and back."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request, Response
from starlette.responses import RedirectResponse

from dashboard.auth.identity import Identity, identify
from dashboard.auth.refusal import Unauthorized
from dashboard.services import Wired


class LoginNeeded(Exception):
    """Of a page, where an API would answer 401."""


def visitor(request: Request, services: Wired) -> Identity:
    try:
        return identify(request, services)
    except Unauthorized as error:
        raise LoginNeeded from error


Visitor = Annotated[Identity, Depends(visitor)]


def install(app: FastAPI) -> None:
    app.add_exception_handler(LoginNeeded, _to_login)


def safe_next(path: str) -> str:
    """Where to go after the login: within this site, whatever the address says."""
    within = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if within else "/"


def _to_login(request: Request, error: Exception) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/login?next={quote(wanted, safe='')}", 303)
