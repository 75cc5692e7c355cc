"""Who asks: by bearer token, by session cookie, or anybody where the entrance is open."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request

from dashboard.auth.refusal import Forbidden, Unauthorized
from dashboard.services import Services, Wired
from db import api_tokens, login_sessions
from db.api_tokens import StoredToken
from paretofarm.access import ApiToken, Scope, form_token, same

COOKIE = "paretofarm_session"
FORM_HEADER = "X-CSRF-Token"
FORM_FIELD = "csrf_token"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Identity:
    """name: of the token. form_token: what our own pages must prove themselves with; None by bearer token."""

    name: str
    scope: Scope
    form_token: str | None = None

    def require(self, scope: Scope) -> None:
        """Errors: Forbidden."""
        if not self.scope.includes(scope):
            raise Forbidden(f"the token {self.name!r} may {self.scope.value}; this needs the scope {scope.value}")


def identify(request: Request, services: Wired) -> Identity:
    """Errors: Unauthorized; Forbidden for a state-changing request that another site's page may have sent."""
    bearer = request.headers.get("authorization")
    if bearer is not None:
        return _by_token(services, bearer)
    identity = by_cookie(services, request) or _anybody(services)
    if identity is None:
        raise Unauthorized("a token is needed: `paretofarm token create NAME` makes one")
    if request.method not in SAFE_METHODS:
        _check_origin(request, identity, lenient=services.entrance.open)
    return identity


def reader(identity: Annotated[Identity, Depends(identify)]) -> Identity:
    identity.require(Scope.READ)
    return identity


def operator(identity: Annotated[Identity, Depends(identify)]) -> Identity:
    identity.require(Scope.OPERATE)
    return identity


def admin(identity: Annotated[Identity, Depends(identify)]) -> Identity:
    identity.require(Scope.ADMIN)
    return identity


Reader = Annotated[Identity, Depends(reader)]
Operator = Annotated[Identity, Depends(operator)]
Admin = Annotated[Identity, Depends(admin)]


def check_token(services: Services, text: str) -> StoredToken:
    """The stored token of that text. Errors: Unauthorized, which does not say what exactly is wrong with a secret."""
    token = ApiToken.parse(text.strip())
    if token is None:
        raise Unauthorized("that is no token: they begin with pf_")
    with services.reading() as session:
        stored = api_tokens.verify(session, token)
    if stored is None:
        raise Unauthorized("there is no such token")
    _require_good(stored)
    if stored.last_used_at is None or datetime.now(UTC) - stored.last_used_at > api_tokens.USE_NOTED_EVERY:
        with services.database.transaction(durable=False) as session:
            api_tokens.note_use(session, stored.id)
    return stored


def by_cookie(services: Services, request: Request) -> Identity | None:
    """Who the browser's session belongs to; None where there is none, or no longer."""
    secret = request.cookies.get(COOKIE)
    if not secret:
        return None
    with services.reading() as session:
        stored = login_sessions.token_of(session, secret)
    if stored is None or not stored.is_good:
        return None
    return Identity(stored.name, stored.scope, form_token(secret))


def from_same_site(request: Request) -> bool:
    """Whether a browser says that one of our own pages asks. Programs say nothing, which is fine too.

    Schemes may differ behind a proxy that ends TLS; hosts and ports may not.
    """
    if request.headers.get("sec-fetch-site") not in (None, "same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host", "")


def _by_token(services: Services, header: str) -> Identity:
    kind, _, text = header.partition(" ")
    if kind.lower() != "bearer":
        raise Unauthorized("Authorization: Bearer pf_… is expected")
    stored = check_token(services, text)
    return Identity(stored.name, stored.scope)


def _anybody(services: Services) -> Identity | None:
    if not services.entrance.open:
        return None
    return Identity("anybody on this machine", Scope.ADMIN, services.entrance.page_token)


def _require_good(stored: StoredToken) -> None:
    if stored.revoked_at is not None:
        raise Unauthorized(f"the token {stored.name!r} was revoked")
    if stored.expired:
        raise Unauthorized(f"the token {stored.name!r} has expired")


def _check_origin(request: Request, identity: Identity, *, lenient: bool) -> None:
    """lenient: programs, which send no `Origin`, need not prove anything where everybody is let in anyway."""
    if not from_same_site(request):
        raise Forbidden("another site's page may not do that")
    if lenient and not {"origin", "sec-fetch-site"} & set(request.headers):
        return
    shown = request.headers.get(FORM_HEADER, "")
    if identity.form_token is None or not same(shown, identity.form_token):
        raise Forbidden(f"the header {FORM_HEADER} is missing or wrong: reload the page")
