"""Begins the search that trains another one's best networks to the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from db import candidates, experiments
from db.candidates import Architectures
from db.experiments import ExperimentStatus, StoredExperiment
from db.tables import ExperimentRow
from paretofarm.complaints import complaints
from paretofarm.errors import ConfigError, Conflict
from paretofarm.experiment import NAME_LENGTH
from paretofarm.final import SUFFIX, Final
from paretofarm.finishing import final_experiment
from paretofarm.history import History


@dataclass(frozen=True)
class Finishing:
    """is_new: it was not there before."""

    search: StoredExperiment
    is_new: bool


def finish_search(session: Session, search: str, said: Mapping[str, Any], *, name: str | None = None) -> Finishing:
    """Begins the end of a search that is over, or goes on with it where that is stopped, in the caller's transaction.

    said: keys of `final:` that come before what the experiment file says. Errors: NotFound; Conflict for one that runs;
    those of `begin_final`.
    """
    stored = experiments.find(session, search)
    if stored.status is ExperimentStatus.RUNNING:
        raise Conflict(f"the search {stored.name!r} is not over yet: wait, or stop it first")
    known = experiments.final_ids(session, stored.id)
    final = begin_final(session, stored, _settings(stored, said), name=name)
    experiments.resume(session, final.id)
    return Finishing(experiments.get(session, final.id), final.id not in known)


def _settings(search: StoredExperiment, said: Mapping[str, Any]) -> Final:
    written = search.experiment.final
    document = {**(written.model_dump(mode="json") if written else {}), **said}
    try:
        return Final.model_validate(document)
    except ValidationError as error:
        raise ConfigError("final: " + "; ".join(complaints(error, document))) from error


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
