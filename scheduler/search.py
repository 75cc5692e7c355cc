"""One running search inside the scheduler: what its tick decides. All state is in the database; this only caches."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from db import candidates, experiments
from db.candidates import CandidateState
from db.experiments import StoredExperiment
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus, Stage, Verdict, advance

log = logging.getLogger(__name__)


@dataclass
class Search:
    """Advances a search's candidates, proposes new ones into free slots, and ends it.

    Ended candidates never change, so they are read once and kept: a tick costs what is in flight, not what was.
    """

    stored: StoredExperiment
    _ended: dict[int, Member] = field(default_factory=dict)

    def tick(self, session: Session) -> None:
        """One step of the search in the caller's transaction."""
        unfinished = [state for state in self._unfinished(session) if not self._advance(session, state)]
        if self.stored.status.accepts_proposals:
            self._propose(session, unfinished)
        elif not unfinished:
            log.info("search %s has stopped", self.stored.name)

    def _unfinished(self, session: Session) -> Sequence[CandidateState]:
        return candidates.unfinished(session, self.stored.id)

    def _advance(self, session: Session, state: CandidateState) -> bool:
        """Whether the candidate came to its end."""
        step = advance(self.stored.experiment.plan(), state.evaluations, state.metrics)
        if step.verdict:
            self._finish(session, state, step.verdict)
        elif step.queue:
            candidates.queue(session, state.id, step.queue)
        return step.verdict is not None
