"""Log in with a token, log out."""

import secrets
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import RedirectResponse

from dashboard.auth.identity import COOKIE, FORM_FIELD, by_cookie, check_token, from_same_site
from dashboard.auth.login_limit import LoginLimit
from dashboard.auth.refusal import Forbidden, TooManyAttempts, Unauthorized
from dashboard.pages.rendering import page
from dashboard.pages.visitor import safe_next
from dashboard.services import Wired
from db import login_sessions
from paretofarm.access import same

LIFETIME = timedelta(days=7)
FORM_BYTES = 4000

router = APIRouter(include_in_schema=False)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form as browsers send them, each once."""
    body = await request.body()
    if len(body) > FORM_BYTES:
        return {}
    return {name: values[0] for name, values in parse_qs(body.decode("latin-1"), keep_blank_values=True).items()}


Form = Annotated[dict[str, str], Depends(form_of)]
Next = Annotated[str, Query(max_length=2000)]


@router.get("/login")
def show_login(request: Request, next: Next = "/") -> Response:
    return page(request, "login.html", next=safe_next(next), trouble=None)


@router.post("/login")
def log_in(request: Request, services: Wired, form: Form) -> Response:
    limit, address = request.app.state.login_limit, request.client.host if request.client else ""
    assert isinstance(limit, LoginLimit)
    target = safe_next(form.get("next", "/"))
    try:
        if not from_same_site(request):
            raise Forbidden("another site's page may not log anybody in")
        limit.check(address)
        stored = check_token(services, form.get("token", ""))
    except Unauthorized as error:
        limit.failed(address)
        return page(request, "login.html", status=HTTPStatus.UNAUTHORIZED, next=target, trouble=error.message)
    except TooManyAttempts as error:
        refusal = page(request, "login.html", status=HTTPStatus.TOO_MANY_REQUESTS, next=target, trouble=error.message)
        refusal.headers["Retry-After"] = f"{error.wait_s:.0f}"
        return refusal
    secret = secrets.token_hex(32)
    with services.writing() as session:
        login_sessions.begin(session, secret, stored, lifetime=LIFETIME)
    answer = RedirectResponse(target, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(LIFETIME.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=_is_secure(request),
    )
    return answer


@router.post("/logout")
def log_out(request: Request, services: Wired, form: Form) -> Response:
    """Errors: Forbidden without the page's form token."""
    identity = by_cookie(services, request)
    if identity is not None:
        if not from_same_site(request) or not same(form.get(FORM_FIELD, ""), identity.form_token or ""):
            raise Forbidden("the form is out of date: reload the page")
        with services.writing() as session:
            login_sessions.end(session, request.cookies[COOKIE])
    answer = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=_is_secure(request))
    return answer


def _is_secure(request: Request) -> bool:
    """Over plain HTTP a browser would not send a secure cookie back. A proxy that ends TLS says so in a header, which
    uvicorn reads from proxies that it trusts."""
    return request.url.scheme == "https"
