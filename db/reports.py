"""The read side: what the command line and the dashboard show. Plain dataclasses, read in the caller's transaction."""

from db.detail import CandidateDetail, Parent, ReportedEpoch, ReportedEvaluation, ReportedMeasurement, candidate
from db.front import Front, front
from db.progress import Progress, StageLoad, progress
from db.reported import ReportedCandidate, candidates, choose_device, objectives_on
from db.scores import ReportedScore

__all__ = [
    "CandidateDetail",
    "Front",
    "Parent",
    "Progress",
    "ReportedCandidate",
    "ReportedEpoch",
    "ReportedEvaluation",
    "ReportedMeasurement",
    "ReportedScore",
    "StageLoad",
    "candidate",
    "candidates",
    "choose_device",
    "front",
    "objectives_on",
    "progress",
]
