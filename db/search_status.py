"""How far searches are: what `search list`, `search show` and the HTTP API tell."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from db import experiments
from db.course import Standing
from db.documents.progress import progress_document
from db.experiments import StoredExperiment
from db.progress import Progress, progress
from db.reported import simulated_devices
from db.standings import standing
from paretofarm.lifecycle import CandidateStatus


@dataclass(frozen=True)
class SearchStatus:
    search: StoredExperiment
    progress: Progress
    standing: Standing
    simulated: tuple[str, ...]
    """Device classes whose measurements are not of silicon."""

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "id": self.search.id,
            "name": self.search.name,
            "control_of": self.search.control_of,
            "final_of": self.search.final_of,
            "status": self.search.status.value,
            "reason": self.search.reason,
            "created_at": self.search.created_at.isoformat(),
            "finished_at": self.search.finished_at.isoformat() if self.search.finished_at else None,
            "target": self.search.experiment.stop.candidates,
            "devices": list(self.search.experiment.devices),
            "simulated_devices": list(self.simulated),
            "front": self.standing.front_size,
            "hypervolume_ratio": self.standing.improvement,
            **progress_document(self.progress),
        }


def read_status(session: Session, search: StoredExperiment) -> SearchStatus:
    now = progress(session, search)
    found = standing(session, search, now.counts[CandidateStatus.COMPLETE])
    return SearchStatus(search, now, found, simulated_devices(session, search.id))


def list_statuses(session: Session) -> list[SearchStatus]:
    """All searches, oldest first."""
    return [read_status(session, search) for search in experiments.list_experiments(session)]
