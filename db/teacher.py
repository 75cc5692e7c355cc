"""The network that teaches the others of its search: the first, as it was trained."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.artifact import CandidateArtifact
from db.tables import ArtifactRow, CandidateArtifactRow, CandidateRow
from paretofarm.architecture import Architecture
from paretofarm.lifecycle import CandidateStatus


@dataclass(frozen=True)
class TrainedNetwork:
    """artifact: what its training left."""

    architecture: Architecture
    artifact: CandidateArtifact


def first_trained(session: Session, experiment_id: int, kind: str) -> TrainedNetwork | None:
    """Candidate 0 with its newest artifact of that kind; None where it is not complete, or the artifact is gone."""
    columns = (ArtifactRow.sha256, CandidateArtifactRow.kind, ArtifactRow.size_bytes, ArtifactRow.uri)
    query = (
        select(CandidateRow.architecture, *columns)
        .join(CandidateArtifactRow, CandidateArtifactRow.candidate_id == CandidateRow.id)
        .join(ArtifactRow, ArtifactRow.sha256 == CandidateArtifactRow.sha256)
        .where(
            CandidateRow.experiment_id == experiment_id,
            CandidateRow.number == 0,
            CandidateRow.status == CandidateStatus.COMPLETE,
            CandidateArtifactRow.kind == kind,
            ArtifactRow.deleted_at.is_(None),
        )
        .order_by(CandidateArtifactRow.id.desc())
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    artifact = CandidateArtifact(row.sha256, row.kind, row.size_bytes, row.uri, None)
    return TrainedNetwork(Architecture.from_dict(row.architecture), artifact)
