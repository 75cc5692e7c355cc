"""Bearer tokens of the HTTP API: made and revoked by the command line, looked up at every request."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from db.tables import NOW, ApiTokenRow
from paretofarm.access import ApiToken, Scope, same
from paretofarm.errors import NotFound

USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class StoredToken:
    """A token without its secret. expired, as of the database's clock when it was read."""

    id: int
    key: str
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    expired: bool

    @property
    def is_good(self) -> bool:
        return self.revoked_at is None and not self.expired


def store(
    session: Session, token: ApiToken, *, name: str, scope: Scope, lifetime: timedelta | None = None
) -> StoredToken:
    """Makes a token valid from now on. lifetime: None for ever."""
    row = {"key": token.key, "name": name, "scope": scope, "secret_sha256": token.secret_sha256}
    expires_at = None if lifetime is None else NOW + lifetime
    session.execute(insert(ApiTokenRow).values(**row, expires_at=expires_at))
    return next(stored for stored in list_tokens(session) if stored.key == token.key)


def list_tokens(session: Session) -> list[StoredToken]:
    """All, revoked and expired ones too, oldest first."""
    return [_stored(*row) for row in session.execute(_QUERY.order_by(ApiTokenRow.id)).tuples()]


def verify(session: Session, token: ApiToken) -> StoredToken | None:
    """What the database knows of a token whose secret is right, good or not; None for any other."""
    row = session.execute(_QUERY.where(ApiTokenRow.key == token.key)).tuples().one_or_none()
    if row is None or not same(row[0].secret_sha256, token.secret_sha256):
        return None
    return _stored(*row)


def get(session: Session, token_id: int) -> StoredToken | None:
    row = session.execute(_QUERY.where(ApiTokenRow.id == token_id)).tuples().one_or_none()
    return None if row is None else _stored(*row)


def note_use(session: Session, token_id: int) -> None:
    """At most once a minute. Worth a transaction that is not durable."""
    long_ago = or_(ApiTokenRow.last_used_at.is_(None), ApiTokenRow.last_used_at < NOW - USE_NOTED_EVERY)
    session.execute(update(ApiTokenRow).where(ApiTokenRow.id == token_id, long_ago).values(last_used_at=NOW))


def revoke(session: Session, key_or_name: str) -> list[StoredToken]:
    """Ends the token of that key, or all of that name, at once; what was ended now. NotFound where there is none."""
    named = or_(ApiTokenRow.key == key_or_name, ApiTokenRow.name == key_or_name)
    found = session.scalars(select(ApiTokenRow.id).where(named)).all() if "\0" not in key_or_name else []
    if not found:
        raise NotFound(f"there is no token {key_or_name!r}: `paretofarm token list` lists them")
    change = update(ApiTokenRow).where(ApiTokenRow.id.in_(found), ApiTokenRow.revoked_at.is_(None))
    ended = set(session.scalars(change.values(revoked_at=NOW).returning(ApiTokenRow.id)))
    return [stored for stored in list_tokens(session) if stored.id in ended]


_EXPIRED = (ApiTokenRow.expires_at <= NOW).label("expired")
_QUERY = select(ApiTokenRow, _EXPIRED)


def _stored(row: ApiTokenRow, expired: bool | None) -> StoredToken:
    return StoredToken(
        id=row.id,
        key=row.key,
        name=row.name,
        scope=row.scope,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        expired=bool(expired),
    )
