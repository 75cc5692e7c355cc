"""The tables. They and the views are a public interface (docs/glossary.md has the words): rename nothing lightly.

Times are timestamptz, written by the database's clock. Units are in the names. JSONB columns hold finite numbers only.
"""

from db.tables.access import ApiTokenRow, LoginSessionRow
from db.tables.artifacts import ArtifactRow, CandidateArtifactRow
from db.tables.base import NOW, Base
from db.tables.experiment_status import ExperimentStatus
from db.tables.phones import DeviceBaselineRow, PhoneRow, PhoneWorkRow, ReferenceCheckRow
from db.tables.processes import EventRow, WorkerRow
from db.tables.searches import CandidateRow, ExperimentRow, PointRow
from db.tables.work import EarlierMeasurementRow, EvaluationRow, MeasurementRow, TrainingMetricsRow

__all__ = [
    "NOW",
    "ApiTokenRow",
    "ArtifactRow",
    "Base",
    "CandidateArtifactRow",
    "CandidateRow",
    "DeviceBaselineRow",
    "EarlierMeasurementRow",
    "EvaluationRow",
    "EventRow",
    "ExperimentRow",
    "ExperimentStatus",
    "LoginSessionRow",
    "MeasurementRow",
    "PhoneRow",
    "PhoneWorkRow",
    "PointRow",
    "ReferenceCheckRow",
    "TrainingMetricsRow",
    "WorkerRow",
]
