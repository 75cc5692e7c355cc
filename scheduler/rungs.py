"""Who of a search's waiting candidates goes on to be trained further: asks the core, does what it says."""

import logging
from collections.abc import Sequence

from db.candidates import CandidateState
from db.experiments import StoredExperiment
from paretofarm.extrapolation import hopeless
from paretofarm.fidelity import Fidelity, Wanted, promotions
from paretofarm.history import History
from paretofarm.lifecycle import CandidateStatus, Stage, Step
from scheduler.store import SearchStore

log = logging.getLogger(__name__)


class Rungs:
    """Of one search. All state is in the database; learning curves that cannot change any more are kept."""

    def __init__(self, stored: StoredExperiment, fidelity: Fidelity) -> None:
        self._stored = stored
        self._fidelity = fidelity
        self._curves: dict[tuple[int, int | None], dict[str, list[float]]] = {}

    def on_the_last(self, states: Sequence[CandidateState]) -> int:
        """How many of those in flight will be complete if all goes well."""
        last = Step(Stage.TRAIN, rung=self._fidelity.last)
        return sum(any(evaluation.step == last for evaluation in state.evaluations) for state in states)

    def promote(self, store: SearchStore, history: History, wanted: Wanted) -> int:
        """How many go on, in the caller's transaction."""
        if not any(member.status is CandidateStatus.PAUSED for member in history.members):
            return 0
        passed_over = self._hopeless(store, history)
        chosen = promotions(history, self._fidelity, wanted, hopeless=passed_over)
        for promotion in chosen:
            store.promote(promotion)
            epochs = self._fidelity.rungs[promotion.rung]
            log.info("%s: candidate %s is trained on, to %s epochs", self._stored.name, promotion.number, epochs)
        return len(chosen)

    def _hopeless(self, store: SearchStore, history: History) -> dict[int, str]:
        if self._fidelity.extrapolate is None:
            return {}
        kept = (CandidateStatus.PAUSED, CandidateStatus.COMPLETE)
        keys = [(member.number, member.rung) for member in history.members if member.status in kept]
        missing = [key for key in keys if key not in self._curves]
        read = store.curves([number for number, _ in missing]) if missing else {}
        self._curves.update({key: read[key[0]] for key in missing})
        known = {key[0]: self._curves[key] for key in keys}
        return hopeless(history, known, self._fidelity.extrapolate)
