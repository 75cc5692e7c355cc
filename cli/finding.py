"""What `paretofarm doctor` finds, one line each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line. essential: nothing works without; remedy: what to do where it is not ok."""

    name: str
    ok: bool
    what: str
    remedy: str = ""
    essential: bool = False


Environment = Mapping[str, str]
Check = Callable[[Environment], Iterator[Finding]]
