"""A network that a report looks at closely: how it learned, how it scores by class, what of it is in the store."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.artifact import CandidateArtifact
from db.curves import curves
from db.experiments import StoredExperiment
from db.reported import ReportedCandidate, by_id
from db.scores import ReportedScore, scores
from db.tables import ArtifactRow, CandidateArtifactRow, CandidateRow, EvaluationRow
from paretofarm.calibration import CalibrationResult
from paretofarm.lifecycle import EvaluationStatus, Stage, Step

PerClass = Mapping[str, Mapping[str, float] | None]
Evaluated = Mapping[Step, Mapping[str, Any]]


@dataclass(frozen=True)
class Network:
    """candidate: as the search judged it that looked at it last; partial: the same network as the search before did.

    curves: by metric the value after each epoch. validated: scores by class on the validation images. score: those on
    the device, None where it never was scored there. class_names: by channel, empty where nobody noted them down.
    calibration: how it was quantized for the device, where that was compared. artifacts: by kind, of the report's
    device class; those that are in the store.
    """

    candidate: ReportedCandidate
    on_front: bool
    partial: ReportedCandidate | None
    curves: Mapping[str, Sequence[float]]
    validated: PerClass
    score: ReportedScore | None
    class_names: Sequence[str]
    calibration: CalibrationResult | None
    artifacts: Mapping[str, CandidateArtifact]

    @property
    def id(self) -> int:
        return self.candidate.id

    @property
    def per_class(self) -> PerClass:
        """On the device where that is known."""
        return self.score.per_class if self.score else self.validated


def read_networks(
    session: Session,
    search: StoredExperiment,
    ids: Sequence[int],
    *,
    device: str | None,
    front: Sequence[int],
    before: StoredExperiment | None,
) -> tuple[Network, ...]:
    """By number. front: ids of its members; before: the search whose best these are, where it was another."""
    found = by_id(session, search, ids, device)
    learned = curves(session, search.id, [candidate.number for candidate in found])
    details = _details(session, ids)
    keyed = dict(
        session.execute(select(CandidateRow.id, CandidateRow.metrics).where(CandidateRow.id.in_(ids))).tuples().all()
    )
    stored = _artifacts(session, ids, device)
    partial = {} if before is None else _same_networks(session, before, found, device)
    return tuple(
        Network(
            candidate=candidate,
            on_front=candidate.id in front,
            partial=partial.get(candidate.digest),
            curves=learned.get(candidate.number, {}),
            validated=_of_training(details[candidate.id], "per_class", {}),
            class_names=_of_training(details[candidate.id], "class_names", ()),
            score=_score(details[candidate.id], keyed[candidate.id], device),
            calibration=_calibration(details[candidate.id], device),
            artifacts=stored[candidate.id],
        )
        for candidate in found
    )


def _details(session: Session, ids: Sequence[int]) -> defaultdict[int, dict[Step, Mapping[str, Any]]]:
    """Of finished evaluations, by candidate."""
    query = select(EvaluationRow).where(
        EvaluationRow.candidate_id.in_(ids), EvaluationRow.status == EvaluationStatus.DONE
    )
    found: defaultdict[int, dict[Step, Mapping[str, Any]]] = defaultdict(dict)
    for row in session.scalars(query.order_by(EvaluationRow.id)):
        found[row.candidate_id][Step(row.stage, row.device, row.rung)] = row.details
    return found


def _of_training(details: Evaluated, name: str, otherwise: Any) -> Any:
    """What the last training noted down under that name."""
    trained = [kept[name] for step, kept in details.items() if step.stage is Stage.TRAIN and name in kept]
    return trained[-1] if trained else otherwise


def _calibration(details: Evaluated, device: str | None) -> CalibrationResult | None:
    of_device = (kept for step, kept in details.items() if step.stage is Stage.COMPILE and step.device == device)
    found = [kept["calibration"] for kept in of_device if "calibration" in kept]
    return CalibrationResult.from_dict(found[-1]) if found else None


def _score(details: Evaluated, metrics: Mapping[str, float], device: str | None) -> ReportedScore | None:
    return next((score for score in scores(details, metrics) if score.device == device), None)


def _artifacts(
    session: Session, ids: Sequence[int], device: str | None
) -> defaultdict[int, dict[str, CandidateArtifact]]:
    query = select(CandidateArtifactRow, ArtifactRow).join(
        ArtifactRow, ArtifactRow.sha256 == CandidateArtifactRow.sha256
    )
    query = query.where(CandidateArtifactRow.candidate_id.in_(ids), ArtifactRow.deleted_at.is_(None))
    found: defaultdict[int, dict[str, CandidateArtifact]] = defaultdict(dict)
    for link, row in session.execute(query.order_by(CandidateArtifactRow.id)).tuples():
        if link.device in (None, device):
            artifact = CandidateArtifact(row.sha256, link.kind, row.size_bytes, row.uri, link.device)
            found[link.candidate_id][link.kind] = artifact
    return found


def _same_networks(
    session: Session, search: StoredExperiment, found: Sequence[ReportedCandidate], device: str | None
) -> dict[str, ReportedCandidate]:
    """As another search knows them, by digest."""
    query = select(CandidateRow.id).where(
        CandidateRow.experiment_id == search.id, CandidateRow.digest.in_([each.digest for each in found])
    )
    return {each.digest: each for each in by_id(session, search, session.scalars(query).all(), device)}
