"""Reads candidates and fronts from the database as the command line prints and draws them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from cli.devices import objectives_on
from cli.picture import Dot, Picture, order_axes
from cli.result import Result, for_device
from db import candidates
from db.experiments import StoredExperiment
from db.tables import CandidateRow, EvaluationRow, MeasurementRow
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.pareto import front


def front_results(session: Session, search: StoredExperiment, device: str | None) -> list[Result]:
    """Members of the front for one device class, ordered by the first cost."""
    order = order_axes(objectives_on(search.experiment, device))[0]
    members = {number for number in _front_numbers(session, search, device)}
    results = [result for result in _all(session, search, device) if result.number in members]
    return sorted(results, key=lambda result: result.metrics[order.key.partition("@")[0]])


def candidate_results(
    session: Session,
    search: StoredExperiment,
    device: str | None,
    *,
    where: str | None,
    sort: str | None,
    limit: int | None,
) -> list[Result]:
    """Errors: ConfigError for a condition or order that cannot be understood."""
    return _all(session, search, device)[:limit]


def read_picture(session: Session, search: StoredExperiment, device: str | None) -> Picture:
    """Complete candidates that have all objectives of the device class."""
    axes = order_axes(objectives_on(search.experiment, device))
    members = set(_front_numbers(session, search, device))
    dots = []
    for result in _all(session, search, device):
        values = {axis.key: result.metrics.get(axis.key.partition("@")[0]) for axis in axes}
        if result.status != CandidateStatus.COMPLETE or None in values.values():
            continue
        intervals = {
            axis.key: result.intervals[name]
            for axis in axes
            if (name := axis.key.partition("@")[0]) in result.intervals
        }
        known = {key: value for key, value in values.items() if value is not None}
        dots.append(
            Dot(
                result.id,
                result.number,
                known,
                intervals,
                on_front=result.number in members,
                simulated=result.simulated,
                noisy=result.noisy,
            )
        )
    counts = {status.value: count for status, count in candidates.counts(session, search.id).items()}
    return Picture(search.name, device, axes, tuple(dots), counts)


def _front_numbers(session: Session, search: StoredExperiment, device: str | None) -> Sequence[int]:
    members: list[Member] = candidates.members(session, search.id)
    experiment = search.experiment
    history = History(members, objectives_on(experiment, device), experiment.constraints, {})
    if not len(history.points):
        return []
    return [history.feasible[index].number for index in front(history.points)]


def _all(session: Session, search: StoredExperiment, device: str | None) -> list[Result]:
    noisy = set(
        session.scalars(
            select(EvaluationRow.candidate_id)
            .join(MeasurementRow, MeasurementRow.evaluation_id == EvaluationRow.id)
            .join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
            .where(
                CandidateRow.experiment_id == search.id,
                EvaluationRow.device == device,
                MeasurementRow.summary["noisy"].as_boolean(),
            )
        )
    )
    rows = session.scalars(
        select(CandidateRow).where(CandidateRow.experiment_id == search.id).order_by(CandidateRow.id)
    )
    return [
        Result(
            id=row.id,
            number=row.number,
            digest=row.digest,
            status=row.status.value,
            reason=row.reason,
            origin=row.origin,
            metrics=for_device(row.metrics, device),
            intervals={name: (pair[0], pair[1]) for name, pair in for_device(row.intervals, device).items()},
            simulated=row.simulated,
            noisy=row.id in noisy,
        )
        for row in rows
    ]
