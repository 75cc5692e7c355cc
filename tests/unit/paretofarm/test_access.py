"""Tokens and scopes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretofarm.access import KEY_BYTES, SECRET_BYTES, ApiToken, Scope, form_token, same


@given(st.binary(min_size=KEY_BYTES + SECRET_BYTES, max_size=KEY_BYTES + SECRET_BYTES))
def test_a_token_is_read_back(entropy: bytes) -> None:
    token = ApiToken.from_entropy(entropy)
    assert ApiToken.parse(token.text) == token
    assert token.secret not in repr(token)
    assert token.secret not in token.secret_sha256


@given(st.text(max_size=100))
def test_no_other_text_is_a_token(text: str) -> None:
    assert ApiToken.parse(text) is None


def test_a_token_needs_its_entropy() -> None:
    with pytest.raises(ValueError, match="38 bytes"):
        ApiToken.from_entropy(b"short")


def test_scopes_include_those_before_them() -> None:
    included = [(a.value, b.value) for a in Scope for b in Scope if a.includes(b)]
    assert included == [
        ("read", "read"),
        ("operate", "read"),
        ("operate", "operate"),
        ("admin", "read"),
        ("admin", "operate"),
        ("admin", "admin"),
    ]


def test_form_tokens_differ_between_sessions() -> None:
    assert form_token("a") == form_token("a")
    assert not same(form_token("a"), form_token("b"))
