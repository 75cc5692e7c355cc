"""What the database knows of one artifact, by its content."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import ArtifactRow
from paretofarm.errors import ArtifactMissing, NotFound


@dataclass(frozen=True)
class KnownArtifact:
    """kind: what it was first stored as."""

    sha256: str
    kind: str
    size_bytes: int


def known_artifact(session: Session, sha256: str) -> KnownArtifact:
    """Errors: NotFound; ArtifactMissing for one that was removed from the store."""
    row = session.scalar(select(ArtifactRow).where(ArtifactRow.sha256 == sha256))
    if row is None:
        raise NotFound(f"there is no artifact {sha256}")
    if row.deleted_at is not None:
        raise ArtifactMissing(f"artifact {sha256} was removed on {row.deleted_at:%Y-%m-%d}: {row.deleted_reason}")
    return KnownArtifact(row.sha256, row.kind, row.size_bytes)
