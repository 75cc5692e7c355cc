"""Starting a search: what a name means that is there already, and what the user should know."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from db import experiments, warm_start
from db.experiment_text import ExperimentFile
from db.experiments import ExperimentStatus, StoredExperiment
from db.phones import list_phones
from db.session import Database
from paretofarm.errors import Conflict, NotFound
from paretofarm.experiment import Experiment


class Beginning(StrEnum):
    """What `begin_search` found."""

    NEW = "started"
    RESUMED = "resumed"
    RUNNING = "goes on"
    FINISHED = "is finished already"


@dataclass(frozen=True)
class Begun:
    search: StoredExperiment
    beginning: Beginning


def begin_search(database: Database, file: ExperimentFile, code_version: str) -> Begun:
    """Stores the search; one of the same name and content goes on.

    Errors: Conflict where there is another search of that name, naming the keys that differ; ConfigError where one that
    it is to begin with is not there.
    """
    experiment = file.experiment
    with database.transaction() as session:
        try:
            stored = experiments.find(session, experiment.name)
        except NotFound:
            warm_start.check(session, experiment)
            stored_id = experiments.create(session, experiment, source=file.source, code_version=code_version)
            return Begun(experiments.get(session, stored_id), Beginning.NEW)
        _check_same(file, stored)
        if stored.status is ExperimentStatus.STOPPED and experiments.resume(session, stored.id):
            return Begun(experiments.get(session, stored.id), Beginning.RESUMED)
    finished = stored.status is ExperimentStatus.FINISHED
    return Begun(stored, Beginning.FINISHED if finished else Beginning.RUNNING)


def _check_same(file: ExperimentFile, stored: StoredExperiment) -> None:
    changed = list(differences(file.experiment, stored.experiment))
    if changed:
        raise Conflict(
            f"{file.path}: there is a search {stored.name!r} already, which differs: {', '.join(changed)}; "
            "give this one another name"
        )


def differences(new: Experiment, old: Experiment) -> Iterator[str]:
    """What two experiments do not agree about, e.g. `seed (8, was 7)`; comments and order play no part."""
    return _differences(new.model_dump(mode="json"), old.model_dump(mode="json"), "")


def _differences(new: Any, old: Any, key: str) -> Iterator[str]:
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        for name in dict.fromkeys((*new, *old)):
            yield from _differences(new.get(name), old.get(name), f"{key}.{name}" if key else name)
    elif new != old:
        plain = not isinstance(new, list | Mapping) and not isinstance(old, list | Mapping)
        yield f"{key} ({new}, was {old})" if plain else key


def phone_warning(database: Database, experiment: Experiment, *, coming: Sequence[str] = ()) -> str | None:
    """A line about device classes of which no phone has ever been seen. coming: classes of phones that start now."""
    with database.transaction() as session:
        known = {phone.facts.device for phone in list_phones(session)}
    missing = [device for device in experiment.devices if device not in known and device not in coming]
    if not missing:
        return None
    seen = f" (known: {', '.join(sorted(known))})" if known else ""
    return (
        f"no phone of class {', '.join(missing)} yet{seen}: candidates will wait for one; "
        f"`paretofarm agent --connect HOST:PORT --device-class {missing[0]}` adds it"
    )
