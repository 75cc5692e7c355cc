"""What candidates can be filtered and sorted by: their own columns and every metric, of one device class."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Double, String, and_, cast, exists, or_, select
from sqlalchemy.orm import aliased

from db.tables import CandidateRow, EvaluationRow, MeasurementRow, PointRow
from paretofarm.errors import ConfigError
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import METRICS, metric_key

STATUSES = tuple(status.value for status in CandidateStatus)
INTERVAL_ENDS = {"latency_low_ms": 0, "latency_high_ms": 1}


class Kind(StrEnum):
    """What a column's values can be compared with."""

    NUMBER = "number"
    TEXT = "quoted text"
    BOOLEAN = "true or false"


@dataclass(frozen=True)
class Column:
    """expression: SQL for its value, NULL where a candidate has none. values: all it can have, where they are few."""

    name: str
    kind: Kind
    expression: ColumnElement[Any]
    values: tuple[str, ...] = ()


class Columns:
    """The columns of one search's candidates, whatever their status.

    device: the class that plain per-device names (`latency_ms`) mean; devices: those that `latency_ms@…` may name.
    """

    def __init__(self, device: str | None, devices: Sequence[str]) -> None:
        self._device = device
        self._devices = tuple(devices)
        self._own = {
            "id": Column("id", Kind.NUMBER, cast(CandidateRow.id, Double)),
            "number": Column("number", Kind.NUMBER, cast(CandidateRow.number, Double)),
            "status": Column("status", Kind.TEXT, cast(CandidateRow.status, String), STATUSES),
            "reason": Column("reason", Kind.TEXT, CandidateRow.reason.expression),
            "origin": Column("origin", Kind.TEXT, CandidateRow.origin.expression),
            "digest": Column("digest", Kind.TEXT, CandidateRow.digest.expression),
            "rung": Column("rung", Kind.NUMBER, cast(CandidateRow.rung, Double)),
            "simulated": Column("simulated", Kind.BOOLEAN, simulated(device)),
            "noisy": Column("noisy", Kind.BOOLEAN, noisy(device)),
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that can be named, plainly."""
        return (*self._own, *METRICS, *INTERVAL_ENDS)

    def __getitem__(self, name: str) -> Column:
        """ConfigError names an unknown column and what is near, or an unknown device class."""
        if name in self._own:
            return self._own[name]
        plain, _, device = name.partition("@")
        if plain in INTERVAL_ENDS:
            return Column(name, Kind.NUMBER, self._bound(INTERVAL_ENDS[plain], self._of("latency_ms", name, device)))
        if plain not in METRICS:
            raise ConfigError(f"unknown column {name!r}{self._near(plain)}; known are {', '.join(self.names)}")
        return Column(name, Kind.NUMBER, self._metric(plain, self._of(plain, name, device)))

    def _metric(self, metric: str, device: str | None) -> ColumnElement[Any]:
        return cast(CandidateRow.metrics[metric_key(metric, device)].astext, Double)

    def _bound(self, end: int, device: str | None) -> ColumnElement[Any]:
        """Of the latency's interval."""
        return cast(CandidateRow.intervals[metric_key("latency_ms", device)][end].astext, Double)

    def _of(self, metric: str, name: str, device: str) -> str | None:
        """The device class that a name is about; None where the metric is the same on all."""
        if not METRICS[metric].per_device:
            if device:
                raise ConfigError(f"{name}: {metric} is the same on every device; write just {metric}")
            return None
        if device and device not in self._devices:
            known = ", ".join(self._devices) or "none"
            raise ConfigError(f"{name}: the search knows no device class {device!r}; it has {known}")
        if not device and self._device is None:
            raise ConfigError(f"{name}: the search measures on no device")
        return device or self._device

    def _near(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.names, n=1, cutoff=0.4)
        return f", did you mean {near[0]}?" if near else ""


def simulated(device: str | None) -> ColumnElement[bool]:
    """Whether a simulated phone measured or scored the candidate, for one device class or any."""
    return or_(_measured(device, MeasurementRow.simulated.is_(True)), _scored_simulated(device))


def noisy(device: str | None) -> ColumnElement[bool]:
    """Whether a measurement of the candidate was too noisy for its protocol."""
    return _measured(device, MeasurementRow.summary["noisy"].as_boolean().is_(True))


def _measured(device: str | None, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    mine = and_(EvaluationRow.candidate_id == CandidateRow.id, MeasurementRow.evaluation_id == EvaluationRow.id)
    if device is not None:
        mine = and_(mine, EvaluationRow.device == device)
    return exists().where(mine, condition).correlate(CandidateRow)


def _scored_simulated(device: str | None) -> ColumnElement[bool]:
    """Only measurements have a row of their own that says so."""
    mine = and_(EvaluationRow.candidate_id == CandidateRow.id, EvaluationRow.details["simulated"].as_boolean())
    if device is not None:
        mine = and_(mine, EvaluationRow.device == device)
    return exists().where(mine).correlate(CandidateRow)


class PointColumns(Columns):
    """The same of candidates that have ended, from the table `points`: rows of the device class.

    What an index of `points` can answer is answered by it. joined: whether the query joins `candidates` to them; else
    what only those know is looked up row by row.
    """

    def __init__(self, device: str | None, devices: Sequence[str], *, joined: bool = False) -> None:
        super().__init__(device, devices)
        self._joined = joined
        self._own |= {
            "reason": Column("reason", Kind.TEXT, self._looked_up(lambda row: row.reason)),
            "origin": Column("origin", Kind.TEXT, self._looked_up(lambda row: row.origin)),
            "digest": Column("digest", Kind.TEXT, self._looked_up(lambda row: row.digest)),
            "id": Column("id", Kind.NUMBER, PointRow.candidate_id.expression),
            "number": Column("number", Kind.NUMBER, PointRow.number.expression),
            "status": Column("status", Kind.TEXT, cast(PointRow.status, String), STATUSES),
            "simulated": Column("simulated", Kind.BOOLEAN, PointRow.simulated.expression),
            "noisy": Column("noisy", Kind.BOOLEAN, PointRow.noisy.expression),
        }

    def _metric(self, metric: str, device: str | None) -> ColumnElement[Any]:
        if metric in PointRow.__table__.columns:
            return self._number(metric, device)
        key = metric_key(metric, device)
        return self._looked_up(lambda row: cast(row.metrics[key].astext, Double))

    def _looked_up(self, value: Callable[[type[CandidateRow]], Any]) -> ColumnElement[Any]:
        if self._joined:
            return value(CandidateRow)  # type: ignore[no-any-return]
        row = aliased(CandidateRow)
        query = select(value(row)).where(row.id == PointRow.candidate_id)
        return query.correlate(PointRow).scalar_subquery()

    def _bound(self, end: int, device: str | None) -> ColumnElement[Any]:
        return self._number(("latency_low_ms", "latency_high_ms")[end], device)

    def _number(self, column: str, device: str | None) -> ColumnElement[Any]:
        if device in (None, self._device):
            return getattr(PointRow, column).expression  # type: ignore[no-any-return]
        other = aliased(PointRow)
        same = and_(other.experiment_id == PointRow.experiment_id, other.number == PointRow.number)
        query = select(getattr(other, column)).where(same, other.device == device)
        return query.correlate(PointRow).scalar_subquery()
