"""How far searches are and how good their fronts."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import candidates, experiments
from db.course import Course, Standing
from db.experiments import ExperimentStatus, StoredExperiment
from db.racing import repetitions
from db.tables import ExperimentRow
from paretofarm import instruments
from paretofarm.instrument import Reading
from paretofarm.lifecycle import CandidateStatus

FINISHED = 20
"""So many of the searches that have finished are still told about; all others have had their day."""


@dataclass
class _Followed:
    """course: dropped once the search has finished; known: how many complete candidates the standing knows, and what
    `repetitions` said."""

    course: Course | None
    known: tuple[int, int, int] = (-1, 0, 0)
    standing: Standing | None = None


class SearchReadings:
    """Remembers what ended candidates were like, so that each is read once, and what finished searches came to."""

    def __init__(self) -> None:
        self._followed: dict[int, _Followed] = {}

    def read(self, session: Session) -> Iterator[Reading]:
        yield from _statuses(session)
        searches = [*experiments.active(session), *_lately_finished(session)]
        for gone in self._followed.keys() - {search.id for search in searches}:
            del self._followed[gone]
        for search in searches:
            yield from self._about(session, search)

    def _about(self, session: Session, search: StoredExperiment) -> Iterator[Reading]:
        label = {"search": search.name}
        counts = candidates.counts(session, search.id)
        for status, number in counts.items():
            yield Reading(instruments.CANDIDATES, number, {**label, "status": status.value})
        yield Reading(instruments.SEARCH_TARGET, search.experiment.stop.candidates, label)
        halted = search.status is ExperimentStatus.STOPPED and search.reason is not None
        yield Reading(instruments.SEARCH_HALTED, float(halted), label)
        standing = self._standing(session, search, counts[CandidateStatus.COMPLETE])
        yield Reading(instruments.FRONT_SIZE, standing.front_size, label)
        if standing.improvement is not None:
            yield Reading(instruments.HYPERVOLUME, standing.improvement, label)
        for key, value in standing.bests.items():
            name, _, device = key.partition("@")
            yield Reading(instruments.BEST, value, {**label, "objective": name, "device": device})

    def _standing(self, session: Session, search: StoredExperiment, complete: int) -> Standing:
        """Worked out anew only where a candidate has been completed since, or measured once more."""
        followed = self._followed.setdefault(search.id, _Followed(Course(search.id, search.experiment)))
        known = (complete, *repetitions(session, search.id))
        if followed.course is not None and followed.known != known:
            followed.standing, followed.known = followed.course.standing(session), known
        if search.status is ExperimentStatus.FINISHED:
            followed.course = None
        assert followed.standing is not None, "the first look never finds -1 complete candidates"
        return followed.standing


def _statuses(session: Session) -> Iterator[Reading]:
    query = select(ExperimentRow.status, func.count()).group_by(ExperimentRow.status)
    numbers = dict(session.execute(query).tuples().all())
    for status in ExperimentStatus:
        yield Reading(instruments.SEARCHES, numbers.get(status, 0), {"status": status.value})


def _lately_finished(session: Session) -> list[StoredExperiment]:
    query = select(ExperimentRow.id).where(ExperimentRow.status == ExperimentStatus.FINISHED)
    ids = session.scalars(query.order_by(ExperimentRow.finished_at.desc().nulls_last()).limit(FINISHED))
    return [experiments.get(session, identifier) for identifier in ids.all()]
