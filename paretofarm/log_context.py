"""What a log line is about: ids that every line written meanwhile carries, whoever writes it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

Value = str | int | None
_FIELDS: ContextVar[Mapping[str, Value]] = ContextVar("log_fields", default=MappingProxyType({}))


@contextmanager
def log_fields(**fields: Value) -> Iterator[None]:
    """Within the block these are added to all lines of this thread; a thread started there needs a copied context."""
    token = _FIELDS.set({**_FIELDS.get(), **fields})
    try:
        yield
    finally:
        _FIELDS.reset(token)


def current_fields() -> Mapping[str, Value]:
    """What the enclosing blocks have said; the innermost wins."""
    return _FIELDS.get()
