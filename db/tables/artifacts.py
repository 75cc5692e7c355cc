"""Files in the artifact store, and who produced them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, row_id, row_of, written_now


class ArtifactRow(Base):
    """A file in the artifact store, by content. `kind` is what it was first stored as.

    deleted_at, deleted_reason: it was removed from the store to save space; set before the file goes.
    """

    __tablename__ = "artifacts"
    __table_args__ = (CheckConstraint("length(sha256) = 64", name="sha256_hex"),)

    sha256: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    size_bytes: Mapped[int]
    uri: Mapped[str]
    created_at: Mapped[datetime] = written_now()
    deleted_at: Mapped[datetime | None]
    deleted_reason: Mapped[str | None]


class CandidateArtifactRow(Base):
    """Which evaluation of which candidate produced an artifact, as what, and for which device class."""

    __tablename__ = "candidate_artifacts"
    __table_args__ = (UniqueConstraint("evaluation_id", "kind"),)

    id: Mapped[int] = row_id()
    candidate_id: Mapped[int] = row_of("candidates.id", index=True)
    evaluation_id: Mapped[int] = row_of("evaluations.id")
    sha256: Mapped[str] = mapped_column(ForeignKey("artifacts.sha256"), index=True)
    kind: Mapped[str]
    device: Mapped[str | None]
    created_at: Mapped[datetime] = written_now()
