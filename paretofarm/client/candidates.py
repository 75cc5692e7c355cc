"""Candidates that a question found: to go through one by one, or all at once as a DataFrame."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from paretofarm.errors import ConfigError

if TYPE_CHECKING:
    from pandas import DataFrame

Document = dict[str, Any]
OWN = ("id", "digest", "status", "simulated")


class Candidates:
    """Iterates over documents as `paretofarm candidates --json` has them; asks for the next page when it is needed.

    Every loop asks anew. pages: yields lists of documents.
    """

    def __init__(self, pages: Callable[[], Iterator[list[Document]]]) -> None:
        self._pages = pages

    def __iter__(self) -> Iterator[Document]:
        for page in self._pages():
            yield from page

    def to_list(self) -> list[Document]:
        return list(self)

    def to_pandas(self) -> "DataFrame":
        """One row per candidate, by id: its metrics under plain names (`latency_ms` in milliseconds), the ends of their
        95 % intervals as `NAME_low` and `NAME_high`; the fields where some were chosen. Needs pandas.
        """
        try:
            from pandas import DataFrame
        except ImportError as error:
            raise ConfigError("pandas is not installed: pip install 'paretofarm[pandas]'") from error
        frame = DataFrame([flat(document) for document in self])
        return frame.set_index("id") if "id" in frame.columns else frame


def flat(document: Mapping[str, Any]) -> Document:
    """Without nesting. A document with chosen fields is flat already."""
    if "metrics" not in document:
        return dict(document)
    ends = {
        f"{name}_{end}": value
        for name, interval in document["intervals"].items()
        for end, value in zip(("low", "high"), interval, strict=True)
    }
    return {**{name: document[name] for name in OWN}, **document["metrics"], **ends}
