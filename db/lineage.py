"""Where a candidate comes from and what came of it, with what each mutation changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, any_, literal, select
from sqlalchemy.orm import Session

from db.detail import choice_changes
from db.tables import CandidateRow
from paretofarm.architecture import Value
from paretofarm.errors import NotFound
from paretofarm.lifecycle import CandidateStatus

DEPTH = 30
MOST = 300
"""Relatives of one direction at most, the nearest first."""


@dataclass(frozen=True)
class Relative:
    """One candidate of the tree. distance: generations before (negative) or after the candidate that was asked about.

    changes: by the parent's number, choice → (the parent's value, its own).
    """

    id: int
    number: int
    status: CandidateStatus
    origin: str
    parents: tuple[int, ...]
    metrics: Mapping[str, float]
    distance: int
    changes: Mapping[int, Mapping[str, tuple[Value | None, Value | None]]]


@dataclass(frozen=True)
class Lineage:
    """relatives: ancestors first, the candidate itself, then its children. complete: False where some are left out."""

    candidate_id: int
    relatives: tuple[Relative, ...]
    complete: bool


def lineage(session: Session, candidate_id: int) -> Lineage:
    """NotFound for no such candidate."""
    own = session.get(CandidateRow, candidate_id)
    if own is None:
        raise NotFound(f"there is no candidate {candidate_id}")
    found: dict[int, tuple[CandidateRow, int]] = {own.number: (own, 0)}
    complete = _climb(session, own, found)
    children = _children(session, own)
    found |= {child.number: (child, 1) for child in children[:MOST] if child.number not in found}
    rows = {number: row for number, (row, _) in found.items()}
    ordered = sorted(found.values(), key=lambda pair: (pair[1], pair[0].number))
    relatives = tuple(_relative(row, distance, rows) for row, distance in ordered)
    return Lineage(candidate_id, relatives, complete and len(children) <= MOST)


def _climb(session: Session, own: CandidateRow, found: dict[int, tuple[CandidateRow, int]]) -> bool:
    """One generation at a time, since few are needed; whether that was all of them."""
    wanted = sorted(set(own.parents))
    for distance in range(1, DEPTH + 1):
        wanted = [number for number in wanted if number not in found]
        if not wanted:
            return True
        if len(found) > MOST:
            return False
        query = select(CandidateRow).where(
            CandidateRow.experiment_id == own.experiment_id, CandidateRow.number.in_(wanted)
        )
        rows = session.scalars(query).all()
        found |= {row.number: (row, -distance) for row in rows}
        wanted = sorted({parent for row in rows for parent in row.parents})
    return not [number for number in wanted if number not in found]


def _children(session: Session, own: CandidateRow) -> Sequence[CandidateRow]:
    mine = literal(own.number, BigInteger) == any_(CandidateRow.parents)
    query = select(CandidateRow).where(CandidateRow.experiment_id == own.experiment_id, mine)
    return session.scalars(query.order_by(CandidateRow.number).limit(MOST + 1)).all()


def _relative(row: CandidateRow, distance: int, rows: Mapping[int, CandidateRow]) -> Relative:
    choices = row.architecture["choices"]
    changes = {
        number: choice_changes(rows[number].architecture["choices"], choices)
        for number in row.parents
        if number in rows
    }
    return Relative(row.id, row.number, row.status, row.origin, tuple(row.parents), row.metrics, distance, changes)
