"""What searches have used of machines."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.tables import NOW, CandidateRow, EvaluationRow, TrainingMetricsRow
from paretofarm.cost import Spent
from paretofarm.lifecycle import EvaluationStatus, Stage


def spent(session: Session, experiment_id: int) -> Spent:
    """Of one search, what is under way now included."""
    since = func.extract("epoch", NOW - EvaluationRow.started_at)
    leased = EvaluationRow.status == EvaluationStatus.LEASED
    query = (
        select(
            EvaluationRow.stage,
            func.sum(EvaluationRow.spent_s),
            func.coalesce(func.sum(since).filter(leased), 0.0),
        )
        .join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
        .where(CandidateRow.experiment_id == experiment_id)
        .group_by(EvaluationRow.stage)
    )
    seconds = {stage: float(ended) + float(going_on) for stage, ended, going_on in session.execute(query).tuples()}
    return Spent(
        train_s=seconds.get(Stage.TRAIN, 0.0),
        phone_s=seconds.get(Stage.MEASURE, 0.0) + seconds.get(Stage.SCORE, 0.0),
        host_s=seconds.get(Stage.BUILD, 0.0) + seconds.get(Stage.COMPILE, 0.0),
    )


def trained_s(session: Session, experiment_id: int) -> float:
    """Seconds of all epochs of a search, validation included: what training takes once it runs."""
    query = (
        select(func.coalesce(func.sum(TrainingMetricsRow.duration_s), 0.0))
        .join(EvaluationRow, EvaluationRow.id == TrainingMetricsRow.evaluation_id)
        .join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
        .where(CandidateRow.experiment_id == experiment_id)
    )
    return float(session.scalar(query) or 0.0)
