"""Who is logged in by browser. A session holds nothing of its own: it may do what its token may, as long as that."""

from datetime import timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from db import api_tokens
from db.api_tokens import StoredToken
from db.tables import NOW, LoginSessionRow
from paretofarm.access import sha256_hex


def begin(session: Session, secret: str, token: StoredToken, *, lifetime: timedelta) -> None:
    """secret: what the browser will show; only its hash is stored. Sessions that have expired go."""
    session.execute(delete(LoginSessionRow).where(LoginSessionRow.expires_at <= NOW))
    row = {"secret_sha256": sha256_hex(secret), "token_id": token.id, "expires_at": NOW + lifetime}
    session.execute(insert(LoginSessionRow).values(row))


def token_of(session: Session, secret: str) -> StoredToken | None:
    """The token that a session was begun with, good or not; None for a session that is over or never was."""
    query = select(LoginSessionRow.token_id).where(
        LoginSessionRow.secret_sha256 == sha256_hex(secret), LoginSessionRow.expires_at > NOW
    )
    token_id = session.scalar(query)
    return None if token_id is None else api_tokens.get(session, token_id)


def end(session: Session, secret: str) -> None:
    session.execute(delete(LoginSessionRow).where(LoginSessionRow.secret_sha256 == sha256_hex(secret)))
