"""What a report is made of. The page's template knows how each of them looks; `block` says which it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from cli.report.chart import Chart


@dataclass(frozen=True)
class Words:
    """A paragraph; note: one that is not for everybody."""

    block: ClassVar[str] = "words"
    text: str
    note: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and what is to be said of each."""

    block: ClassVar[str] = "facts"
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Figure:
    """A chart and the sentence that explains it."""

    block: ClassVar[str] = "figure"
    chart: Chart
    caption: str


@dataclass(frozen=True)
class Film:
    """A chart that grows. total: candidates in the end; frames: for each of its dots, in order, the number of
    candidates from which on it is there, and that from which on it is no longer on the front (0: never was)."""

    block: ClassVar[str] = "film"
    chart: Chart
    caption: str
    total: int
    frames: tuple[tuple[int, int], ...]
    steps: str


@dataclass(frozen=True)
class Cell:
    """share: from 0 to 1, drawn as a bar behind the text. kind: a class of the page's style."""

    text: str
    share: float | None = None
    kind: str = ""


@dataclass(frozen=True)
class Row:
    cells: tuple[Cell, ...]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """The first `texts` columns are words, the others numbers."""

    block: ClassVar[str] = "table"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    texts: int = 1


@dataclass(frozen=True)
class Code:
    """summary: what it is; shown when that is opened, and printed."""

    block: ClassVar[str] = "code"
    summary: str
    text: str


@dataclass(frozen=True)
class Card:
    """One of the picked networks. kind: its pick; command: what gets it, where there is something to get."""

    title: str
    kind: str
    pairs: tuple[tuple[str, str], ...]
    command: str | None


@dataclass(frozen=True)
class Cards:
    block: ClassVar[str] = "cards"
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Picture:
    """source: a data: address; description: for those who do not see it."""

    source: str
    description: str
    caption: str = ""


@dataclass(frozen=True)
class Answer:
    """Words in a picture's place. right: whether they are, None where that is no question."""

    text: str
    right: bool | None = None


@dataclass(frozen=True)
class Pictures:
    """Rows of pictures under common headings. colours: (name, `#rrggbb`)."""

    block: ClassVar[str] = "pictures"
    headings: tuple[str, ...]
    rows: tuple[tuple[Picture | Answer, ...], ...]
    colours: tuple[tuple[str, str], ...]


Block = Words | Facts | Figure | Film | Table | Code | Cards | Pictures


@dataclass(frozen=True)
class Section:
    """anchor: of the page's table of contents. blocks: one sentence at least, where there is nothing to show too."""

    title: str
    anchor: str
    blocks: Sequence[Block]


def row(*cells: str | Cell, kind: str = "") -> Row:
    return Row(tuple(Cell(cell) if isinstance(cell, str) else cell for cell in cells), kind)
