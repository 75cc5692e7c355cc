"""How far a search is: counts, stages, time."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import candidates
from db.experiments import StoredExperiment
from db.tables import NOW, CandidateRow, EvaluationRow
from paretofarm.lifecycle import EvaluationStatus


@dataclass(frozen=True)
class Progress:
    """counts: candidates by status, all named. stages: (at work, waiting), those with any."""

    counts: Mapping[str, int]
    stages: Mapping[str, tuple[int, int]]
    failures: Mapping[str, int]
    elapsed_s: float
    eta_s: float | None


def read_progress(session: Session, search: StoredExperiment) -> Progress:
    counts = {status.value: count for status, count in candidates.counts(session, search.id).items()}
    query = (
        select(EvaluationRow.stage, EvaluationRow.status, func.count())
        .join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
        .where(
            CandidateRow.experiment_id == search.id,
            EvaluationRow.status.in_([EvaluationStatus.QUEUED, EvaluationStatus.LEASED]),
        )
        .group_by(EvaluationRow.stage, EvaluationRow.status)
    )
    found = {(stage.value, status.value): count for stage, status, count in session.execute(query).tuples()}
    stages = {}
    for stage in ("build", "compile", "measure", "train"):
        pair = (found.get((stage, "leased"), 0), found.get((stage, "queued"), 0))
        if any(pair):
            stages[stage] = pair
    until = search.finished_at or session.scalar(select(NOW))
    assert until is not None
    elapsed = (until - search.created_at).total_seconds()
    complete = counts["complete"]
    left = search.experiment.stop.candidates - complete
    eta = elapsed / complete * left if complete and left > 0 else None
    return Progress(counts, stages, {}, elapsed, eta)
