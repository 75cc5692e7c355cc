"""Earlier searches that a search begins with."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import candidates, experiments
from db.experiments import StoredExperiment
from db.tables import CandidateRow
from paretofarm.architecture import Architecture
from paretofarm.errors import ConfigError, NotFound
from paretofarm.experiment import Experiment
from paretofarm.lifecycle import CandidateStatus
from paretofarm.warm_start import Earlier

MOST = 10_000
"""Candidates of an earlier search that are looked at, the latest."""


def check(session: Session, experiment: Experiment) -> None:
    """Errors: ConfigError where an earlier search is not there, or is over another space."""
    for name in experiment.warm_start.search if experiment.warm_start else ():
        try:
            earlier = experiments.find(session, name)
        except NotFound as error:
            raise ConfigError(f"warm_start.search: {error.message}") from error
        if earlier.experiment.search_space != experiment.search_space:
            raise ConfigError(f"warm_start.search: {name} is over another search space")


def earlier_searches(session: Session, experiment: Experiment) -> list[Earlier]:
    """Those that are still there, with their candidates that were trained."""
    found = []
    for name in experiment.warm_start.search if experiment.warm_start else ():
        try:
            found.append(_earlier(session, experiments.find(session, name)))
        except NotFound:  # deleted since
            continue
    return found


def _earlier(session: Session, stored: StoredExperiment) -> Earlier:
    kept = (CandidateStatus.COMPLETE, CandidateStatus.PAUSED)
    members = [member for member in candidates.members(session, stored.id) if member.status in kept][-MOST:]
    return Earlier(stored.experiment, members, _architectures(session, stored.id, [each.number for each in members]))


def _architectures(session: Session, experiment_id: int, numbers: Sequence[int]) -> dict[int, Architecture]:
    query = select(CandidateRow.number, CandidateRow.architecture)
    query = query.where(CandidateRow.experiment_id == experiment_id, CandidateRow.number.in_(numbers))
    rows = session.execute(query).tuples()
    return {number: Architecture.from_dict(document) for number, document in rows}
