"""A claimed evaluation: the lease, and everything that the work needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from db.artifact import CandidateArtifact
from paretofarm.architecture import Architecture
from paretofarm.errors import ArtifactMissing
from paretofarm.experiment import Experiment
from paretofarm.lifecycle import Step


@dataclass(frozen=True)
class Claim:
    """attempt, token: fence what is reported; failures: how many attempts have failed before this one.

    artifacts: the newest of each kind and device class. metrics: known so far, by key.
    """

    evaluation_id: int
    attempt: int
    failures: int
    token: UUID
    owner: str
    step: Step
    candidate_id: int
    number: int
    experiment_id: int
    experiment_name: str
    experiment: Experiment
    architecture: Architecture
    metrics: Mapping[str, float]
    artifacts: tuple[CandidateArtifact, ...]

    @property
    def digest(self) -> str:
        return self.architecture.digest

    def artifact(self, kind: str, device: str | None = None) -> CandidateArtifact:
        """The candidate's artifact of that kind; ArtifactMissing where there is none, or none any more."""
        for artifact in self.artifacts:
            if (artifact.kind, artifact.device) == (kind, device):
                return _still_there(artifact, self.number)
        raise ArtifactMissing(f"candidate {self.number} has no artifact {kind}{f' for {device}' if device else ''}")


def _still_there(artifact: CandidateArtifact, number: int) -> CandidateArtifact:
    if artifact.deleted_at is not None:
        what = f"artifact {artifact.kind} of candidate {number}"
        raise ArtifactMissing(f"{what} was removed by `paretofarm gc` ({artifact.deleted_at})")
    return artifact
