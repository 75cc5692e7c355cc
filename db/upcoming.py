"""What the phones of a device class will be asked to do: looked at ahead of time, claimed by nobody."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, any_, case, literal, select
from sqlalchemy.orm import Session

from db.artifact import CandidateArtifact
from db.experiments import read_config
from db.plain_json import dumps
from db.tables import ArtifactRow, CandidateArtifactRow, CandidateRow, EvaluationRow, ExperimentRow
from paretofarm.lifecycle import EvaluationStatus, Stage
from paretofarm.runtimes import MeasurementSettings

Row = tuple[str, str, int, str, str, dict[str, Any]]


@dataclass(frozen=True)
class PlannedNetwork:
    """A compiled network, and the settings under which a search has phones of the device class run it."""

    artifact: CandidateArtifact
    settings: MeasurementSettings


def queued_networks(session: Session, device: str, kind: str, trained_kind: str, *, limit: int) -> list[PlannedNetwork]:
    """Artifacts of the evaluations that will be measured next, oldest first.

    kind: of those to measure where it is about no rung; trained_kind: where it is.
    """
    wanted = case((EvaluationRow.rung.is_(None), kind), else_=trained_kind)
    query = (
        _artifacts(device, kind, trained_kind)
        .join(EvaluationRow, EvaluationRow.candidate_id == CandidateRow.id)
        .where(
            EvaluationRow.status == EvaluationStatus.QUEUED,
            EvaluationRow.stage == Stage.MEASURE,
            EvaluationRow.device == device,
            CandidateArtifactRow.kind == wanted,
        )
        .order_by(EvaluationRow.id, CandidateArtifactRow.id.desc())
        .limit(limit)
    )
    return _planned(session, query)


def newest_network(session: Session, device: str, kind: str) -> PlannedNetwork | None:
    """The artifact of that kind that was made last for a device class."""
    found = _planned(session, _artifacts(device, kind).order_by(CandidateArtifactRow.id.desc()).limit(1))
    return found[0] if found else None


def newest_settings(session: Session, device: str) -> MeasurementSettings | None:
    """How the newest search that names a device class has it measured; None where no search does."""
    query = select(ExperimentRow.name, ExperimentRow.config).where(literal(device) == any_(ExperimentRow.devices))
    row = session.execute(query.order_by(ExperimentRow.id.desc()).limit(1)).one_or_none()
    return None if row is None else read_config(row.name, dumps(row.config)).measurement


def _artifacts(device: str, *kinds: str) -> Select[Row]:
    """That are there still, with the search that wants them."""
    columns = (ArtifactRow.sha256, CandidateArtifactRow.kind, ArtifactRow.size_bytes, ArtifactRow.uri)
    return (
        select(*columns, ExperimentRow.name, ExperimentRow.config)
        .join(CandidateArtifactRow, CandidateArtifactRow.sha256 == ArtifactRow.sha256)
        .join(CandidateRow, CandidateRow.id == CandidateArtifactRow.candidate_id)
        .join(ExperimentRow, ExperimentRow.id == CandidateRow.experiment_id)
        .where(
            CandidateArtifactRow.kind.in_(kinds),
            CandidateArtifactRow.device == device,
            ArtifactRow.deleted_at.is_(None),
        )
    )


def _planned(session: Session, query: Select[Row]) -> list[PlannedNetwork]:
    found = []
    for sha256, kind, size_bytes, uri, name, config in session.execute(query).tuples():
        settings = read_config(name, dumps(config)).measurement
        if settings is not None:
            found.append(PlannedNetwork(CandidateArtifact(sha256, kind, size_bytes, uri, None), settings))
    return found
