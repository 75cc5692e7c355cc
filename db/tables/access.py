"""Who may ask: tokens of the HTTP API and logins by browser."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, one_of, row_id, row_of, written_now
from paretofarm.access import Scope


class ApiTokenRow(Base):
    """A bearer token of the HTTP API. Of its secret half only the SHA-256 is kept: nobody can read it back."""

    __tablename__ = "api_tokens"
    __table_args__ = (one_of("scope", Scope), CheckConstraint("length(secret_sha256) = 64", name="sha256_hex"))

    id: Mapped[int] = row_id()
    key: Mapped[str] = mapped_column(unique=True)
    """The half of the token that is no secret."""
    name: Mapped[str]
    scope: Mapped[Scope]
    secret_sha256: Mapped[str]
    created_at: Mapped[datetime] = written_now()
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class LoginSessionRow(Base):
    """Somebody who logged in with a token, by browser. May do what the token may, and ends with it."""

    __tablename__ = "login_sessions"
    __table_args__ = (CheckConstraint("length(secret_sha256) = 64", name="sha256_hex"),)

    id: Mapped[int] = row_id()
    secret_sha256: Mapped[str] = mapped_column(unique=True)
    token_id: Mapped[int] = row_of("api_tokens.id", index=True)
    created_at: Mapped[datetime] = written_now()
    expires_at: Mapped[datetime]
