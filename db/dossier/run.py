"""One search as its report tells of it: what it was, what it found, what it took."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import candidates, cost, plot_points, progress
from db.experiments import StoredExperiment
from db.front import Front, front
from db.plot_points import PlotPoints
from db.tables import CandidateRow, EvaluationRow, ExperimentRow, MeasurementRow, PhoneRow
from paretofarm.cost import Spent
from paretofarm.lifecycle import CandidateStatus, Stage


@dataclass(frozen=True)
class StageWork:
    """All evaluations of one stage. repeats: attempts beyond the first of each; spent_s: wall time of all attempts."""

    stage: Stage
    evaluations: int
    failed: int
    repeats: int
    spent_s: float


@dataclass(frozen=True)
class UsedPhone:
    """A phone that measured; measurements: how many, copies of earlier ones included."""

    device: str
    serial: str
    description: str
    runtime: str
    simulated: bool
    measurements: int


@dataclass(frozen=True)
class Run:
    """source: the experiment file verbatim. points: all complete candidates, of the objectives; sizes: the same by
    what a network is and how fast it ran, by the name of the metric.

    rejections: infeasible and failed candidates by reason, without the values of each.
    """

    search: StoredExperiment
    source: str
    code_version: str
    elapsed_s: float
    counts: Mapping[CandidateStatus, int]
    rejections: Mapping[tuple[CandidateStatus, str], int]
    front: Front
    points: PlotPoints
    sizes: Mapping[str, PlotPoints]
    work: tuple[StageWork, ...]
    spent: Spent
    phones: tuple[UsedPhone, ...]

    @property
    def name(self) -> str:
        return self.search.name


SIZES = ("parameters", "macs")


def read_run(session: Session, search: StoredExperiment, device: str | None) -> Run:
    """ConfigError for a device class that the search does not name, or seeks nothing on."""
    row = session.get_one(ExperimentRow, search.id)
    found = front(session, search, device)
    return Run(
        search=search,
        source=row.source,
        code_version=row.code_version,
        elapsed_s=progress.elapsed_s(session, search),
        counts=candidates.counts(session, search.id),
        rejections=_rejections(session, search.id),
        front=found,
        points=plot_points.plot_points(session, search, device=found.device),
        sizes=_sizes(session, search, found.device),
        work=_work(session, search.id),
        spent=cost.spent(session, search.id),
        phones=_phones(session, search.id),
    )


def kind_of_rejection(status: CandidateStatus, reason: str) -> str:
    """A reason without what differs between candidates: the limit that was broken, or stage and error."""
    if status is CandidateStatus.INFEASIBLE:
        key, _, limit = reason.partition(" is ")
        return f"{key}{limit.partition(',')[2]}"
    return ": ".join(part.strip() for part in reason.split(":")[:2])


def _rejections(session: Session, experiment_id: int) -> dict[tuple[CandidateStatus, str], int]:
    """The most frequent first."""
    rejected = CandidateStatus.INFEASIBLE, CandidateStatus.FAILED
    query = select(CandidateRow.status, CandidateRow.reason, func.count()).where(
        CandidateRow.experiment_id == experiment_id, CandidateRow.status.in_(rejected)
    )
    found: Counter[tuple[CandidateStatus, str]] = Counter()
    for status, reason, number in session.execute(query.group_by(CandidateRow.status, CandidateRow.reason)).tuples():
        found[status, kind_of_rejection(status, reason or "")] += number
    return dict(found.most_common())


def _sizes(session: Session, search: StoredExperiment, device: str | None) -> dict[str, PlotPoints]:
    if device is None:
        return {}
    metrics = {name: (name, "latency_ms") for name in SIZES}
    return {
        name: plot_points.plot_points(session, search, device=device, metrics=pair) for name, pair in metrics.items()
    }


def _work(session: Session, experiment_id: int) -> tuple[StageWork, ...]:
    failed = EvaluationRow.code.is_not(None) & EvaluationRow.finished_at.is_not(None)
    query = select(
        EvaluationRow.stage,
        func.count(),
        func.count().filter(failed),
        func.sum(EvaluationRow.attempt - 1),
        func.sum(EvaluationRow.spent_s),
    )
    query = query.join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
    query = query.where(CandidateRow.experiment_id == experiment_id).group_by(EvaluationRow.stage)
    found = {
        stage: StageWork(stage, count, wrong, int(repeats), float(spent_s))
        for stage, count, wrong, repeats, spent_s in session.execute(query).tuples()
    }
    return tuple(found[stage] for stage in Stage if stage in found)


def _phones(session: Session, experiment_id: int) -> tuple[UsedPhone, ...]:
    query = (
        select(PhoneRow, MeasurementRow.runtime, MeasurementRow.simulated, func.count())
        .join(MeasurementRow, MeasurementRow.phone_id == PhoneRow.id)
        .join(EvaluationRow, EvaluationRow.id == MeasurementRow.evaluation_id)
        .join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
        .where(CandidateRow.experiment_id == experiment_id)
        .group_by(PhoneRow.id, MeasurementRow.runtime, MeasurementRow.simulated)
        .order_by(PhoneRow.id)
    )
    return tuple(
        UsedPhone(phone.device, phone.serial, _described(phone), runtime, simulated, count)
        for phone, runtime, simulated, count in session.execute(query).tuples()
    )


def _described(phone: PhoneRow) -> str:
    system = phone.os_version and f"Android {phone.os_version}"
    maker = " ".join(dict.fromkeys(part for part in (phone.manufacturer, phone.model) if part))
    return ", ".join(part for part in (maker, phone.soc, system) if part)
