"""Learning curves of a search's candidates: what extrapolation goes by."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import CandidateRow, EvaluationRow, TrainingMetricsRow


def curves(session: Session, experiment_id: int, numbers: Collection[int]) -> dict[int, dict[str, list[float]]]:
    """By candidate number and metric the value after each epoch, from the first; up to the first epoch without one."""
    query = select(CandidateRow.number, TrainingMetricsRow.epoch, TrainingMetricsRow.metrics)
    query = query.join(EvaluationRow, EvaluationRow.candidate_id == CandidateRow.id)
    query = query.join(TrainingMetricsRow, TrainingMetricsRow.evaluation_id == EvaluationRow.id)
    query = query.where(CandidateRow.experiment_id == experiment_id, CandidateRow.number.in_(numbers))
    found: dict[int, dict[str, list[float]]] = {number: defaultdict(list) for number in numbers}
    rows = session.execute(query.order_by(CandidateRow.number, TrainingMetricsRow.epoch)).tuples()
    for number, epoch, metrics in rows:
        for name, value in metrics.items():
            if len(found[number][name]) == epoch - 1:
                found[number][name].append(float(value))
    return {number: dict(of_candidate) for number, of_candidate in found.items()}
