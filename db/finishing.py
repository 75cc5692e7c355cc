"""Begins the search that trains another one's best networks to the end."""

from itertools import chain, count

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import candidates, experiments
from db.candidates import Architectures
from db.experiments import StoredExperiment
from db.tables import ExperimentRow
from paretofarm.experiment import NAME_LENGTH
from paretofarm.final import SUFFIX, Final
from paretofarm.finishing import final_experiment
from paretofarm.history import History


def begin_final(
    session: Session, search: StoredExperiment, final: Final, *, name: str | None = None, history: History | None = None
) -> StoredExperiment:
    """In the caller's transaction; one that does exactly the same is taken for it, in whatever state.

    name: else NAME-final, or the first of NAME-final-2, … that is not taken. history: of the search,
    where the caller has read it. Errors: ConfigError where there is nothing to train, or the name is taken.
    """
    known = history or _history(session, search)
    for earlier in (experiments.get(session, found) for found in experiments.final_ids(session, search.id)):
        if name in (None, earlier.name):
            again = final_experiment(search.experiment, known, final, name=earlier.name)
            if again == earlier.experiment:
                return earlier
    experiment = final_experiment(search.experiment, known, final, name=name or _free_name(session, search.name))
    return experiments.get(session, experiments.create_final(session, experiment, of=search.id))


def _history(session: Session, search: StoredExperiment) -> History:
    experiment = search.experiment
    return History(
        candidates.members(session, search.id),
        experiment.objectives,
        experiment.constraints,
        Architectures(session, search.id),
        experiment.rungs,
    )


def _free_name(session: Session, search: str) -> str:
    """A search may be finished more than once: after its limit was raised, or with another recipe."""
    endings = chain([SUFFIX], (f"{SUFFIX}-{number}" for number in count(2)))
    names = (search[: NAME_LENGTH - len(ending)] + ending for ending in endings)
    taken = select(ExperimentRow.name)
    return next(name for name in names if session.scalar(taken.where(ExperimentRow.name == name)) is None)
