"""What all tables share: how Python's types are stored, how constraints are named, and columns that recur."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    Identity,
    MetaData,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.type_api import TypeEngine

from db.tables.experiment_status import ExperimentStatus
from paretofarm.access import Scope
from paretofarm.lifecycle import CandidateStatus, EvaluationStatus, Stage
from paretofarm.phone_health import PhoneState

Json = dict[str, Any]


def _values(kind: type[StrEnum]) -> list[str]:
    return [member.value for member in kind]


def _enum(kind: type[StrEnum]) -> Enum:
    return Enum(kind, native_enum=False, create_constraint=False, length=16, values_callable=_values)


def one_of(column: str, kind: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in _values(kind))
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


_TYPES: dict[Any, TypeEngine[Any]] = {
    int: BigInteger(),
    str: Text(),
    float: Double(),
    datetime: DateTime(timezone=True),
    Json: JSONB(),
    list[Any]: JSONB(),
    list[int]: ARRAY(BigInteger()),
    list[str]: ARRAY(Text()),
    UUID: Uuid(),
    ExperimentStatus: _enum(ExperimentStatus),
    PhoneState: _enum(PhoneState),
    CandidateStatus: _enum(CandidateStatus),
    EvaluationStatus: _enum(EvaluationStatus),
    Stage: _enum(Stage),
    Scope: _enum(Scope),
}

NOW = func.clock_timestamp(type_=DateTime(timezone=True))
"""Time of the statement rather than of the transaction's begin: leases and ages are compared across transactions."""


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = _TYPES
    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "ck": "%(table_name)s_%(constraint_name)s",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        }
    )


def row_id() -> Mapped[int]:
    return mapped_column(Identity(always=True), primary_key=True)


def json_object() -> Mapped[Json]:
    return mapped_column(server_default=text("'{}'::jsonb"))


def written_now() -> Mapped[datetime]:
    return mapped_column(server_default=NOW)


def row_of(target: str, *, index: bool = False) -> Mapped[int]:
    return mapped_column(ForeignKey(target, ondelete="CASCADE"), index=index)
