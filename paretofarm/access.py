"""Who may ask the HTTP API for what, and the tokens that say so. Pure: who stores and checks them is elsewhere."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from enum import StrEnum

KEY_BYTES, SECRET_BYTES = 6, 32
_TOKEN = re.compile(r"pf_([0-9a-f]{12})_([0-9a-f]{64})", re.ASCII)


class Scope(StrEnum):
    """What a token is good for: each scope includes those before it.

    read: see everything; operate: start, stop and change searches, candidates, phones; admin: delete.
    """

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"

    def includes(self, other: "Scope") -> bool:
        order = list(Scope)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True)
class ApiToken:
    """A bearer token: `pf_<key>_<secret>`. The key finds it in the database, the secret proves it."""

    key: str
    secret: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "ApiToken | None":
        """None for what is no token."""
        match = _TOKEN.fullmatch(text)
        return None if match is None else cls(match[1], match[2])

    @classmethod
    def from_entropy(cls, entropy: bytes) -> "ApiToken":
        """entropy: `KEY_BYTES + SECRET_BYTES` bytes that nobody can guess."""
        if len(entropy) != KEY_BYTES + SECRET_BYTES:
            raise ValueError(f"a token is made of {KEY_BYTES + SECRET_BYTES} bytes, not {len(entropy)}")
        return cls(entropy[:KEY_BYTES].hex(), entropy[KEY_BYTES:].hex())

    @property
    def text(self) -> str:
        return f"pf_{self.key}_{self.secret}"

    @property
    def secret_sha256(self) -> str:
        """What is kept of the secret. It has 256 random bits, so that a plain hash is as good as a slow one."""
        return sha256_hex(self.secret)


def sha256_hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def form_token(session_secret: str) -> str:
    """What a form or a script of our own pages proves itself with: derived from the session, stored nowhere."""
    return hmac.new(session_secret.encode(), b"paretofarm form", hashlib.sha256).hexdigest()


def same(first: str, second: str) -> bool:
    """Compared in a time that says nothing about where they differ."""
    return hmac.compare_digest(first.encode(), second.encode())
