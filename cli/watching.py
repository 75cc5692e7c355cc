"""Follows a search until it is over."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from cli.live import Display
from cli.signals import end_if_asked
from cli.snapshot import Snapshot
from cli.words import event_text
from db import events, experiments
from db.course import Course
from db.events import Event
from db.experiments import StoredExperiment
from db.progress import progress
from db.session import Database
from paretofarm.errors import ArtifactStoreFull, ArtifactStoreUnavailable, DatabaseUnavailable
from paretofarm.lifecycle import MAX_ATTEMPTS

PAUSE_S = 1.0
NEWS = 3
FATAL = {error.__name__: error for error in (ArtifactStoreFull, ArtifactStoreUnavailable)}
"""What the next attempt would meet as well: the search is stopped rather than run to ruin."""
PATIENT_ATTEMPTS = MAX_ATTEMPTS - 2
"""A store that is away, as another server may be for a while, is waited for so long; one attempt is left then."""

Trouble = Callable[[], str | None]


@dataclass
class Watch:
    """One search as seen by one command."""

    database: Database
    search: StoredExperiment
    trouble: Trouble = lambda: None
    _news: deque[str] = field(default_factory=lambda: deque(maxlen=NEWS))
    _seen: int = 0

    def __post_init__(self) -> None:
        self._course = Course(self.search.id, self.search.experiment)

    def until_over(self, display: Display) -> StoredExperiment:
        """Returns the search once it is finished or stopped. A database that goes away is waited for.

        Errors: ArtifactStoreFull or ArtifactStoreUnavailable, after the search has been stopped.
        """
        self.skip_old_news()
        last: Snapshot | None = None
        while last is None or not last.is_over:
            end_if_asked()
            try:
                with self.database.listener("paretofarm") as listener:
                    while last is None or not last.is_over:
                        end_if_asked()
                        last = self.look()
                        display.show(last)
                        if not last.is_over:
                            listener.wait(PAUSE_S)
            except DatabaseUnavailable as error:
                self._wait_for_database(display, last, error)
        with self.database.transaction() as session:
            return experiments.get(session, self.search.id)

    def look(self) -> Snapshot:
        """The search now. Ends it where the artifact store does not work."""
        with self.database.transaction() as session:
            fatal = self._read_news(session)
            if fatal:
                experiments.stop(session, self.search.id, reason=fatal.details.get("reason"))
            snapshot = self._snapshot(session)
        if fatal:
            kind = FATAL[fatal.details["code"]]
            raise kind(
                f"{fatal.details.get('reason')}; the search is stopped and nothing is lost: mend it, then "
                f"`paretofarm search resume {self.search.name}`"
            )
        return snapshot

    def _snapshot(self, session: Session) -> Snapshot:
        search = experiments.get(session, self.search.id)
        now = progress(session, search)
        return Snapshot(
            name=search.name,
            status=search.status,
            target=search.experiment.stop.candidates,
            counts={status.value: count for status, count in now.counts.items()},
            stages={stage.value: (load.leased, load.queued) for stage, load in now.stages.items()},
            standing=self._course.standing(session),
            first_objective=search.experiment.objectives[0].key,
            reason=search.reason,
            elapsed_s=now.elapsed_s,
            eta_s=now.eta_s,
            news=tuple(self._news),
            trouble=self.trouble(),
        )

    def skip_old_news(self) -> None:
        """What happened before is not shown."""
        with self.database.transaction() as session:
            newest = events.tail(session, experiment_id=self.search.id, limit=1)
        self._seen = newest[-1].id if newest else 0

    def _read_news(self, session: Session) -> Event | None:
        """Remembers new lines; the event, if there is one, that must end the search."""
        fatal: Event | None = None
        for event in events.tail(session, after_id=self._seen, experiment_id=self.search.id):
            self._seen = event.id
            if line := event_text(event):
                self._news.append(line)
            if _is_fatal(event):
                fatal = event
        return fatal

    def _wait_for_database(self, display: Display, last: Snapshot | None, error: DatabaseUnavailable) -> None:
        if last is None:
            raise error
        display.show(replace(last, trouble=f"waiting: {error}"))
        time.sleep(PAUSE_S)


def _is_fatal(event: Event) -> bool:
    code = event.details.get("code")
    if code == ArtifactStoreUnavailable.__name__:
        return int(event.details["attempt"]) > PATIENT_ATTEMPTS
    return code in FATAL
