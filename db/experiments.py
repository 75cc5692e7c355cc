"""Searches: start, find, stop, resume, finish."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from pydantic import ValidationError
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, object_session

from db import events
from db.candidates import changeable
from db.events import EventKind
from db.plain_json import dumps
from db.tables import NOW, CandidateRow, EvaluationRow, ExperimentRow, ExperimentStatus
from paretofarm.errors import ConfigError, Conflict, NotFound
from paretofarm.experiment import CONTROL_SUFFIX, Experiment, parse_experiment
from paretofarm.lifecycle import HALTING_CODES, CandidateStatus, EvaluationStatus

__all__ = ["ExperimentStatus", "StoredExperiment", "active", "create", "find", "finish", "get", "list_experiments"]


@dataclass(frozen=True)
class StoredExperiment:
    """A search as the database has it. control_of: name of the search that it is the random control of.

    final_of: name of the search whose best networks it trains to the end.
    """

    id: int
    name: str
    experiment: Experiment
    status: ExperimentStatus
    reason: str | None
    created_at: datetime
    finished_at: datetime | None
    control_of: str | None = None
    final_of: str | None = None


def create(session: Session, experiment: Experiment, *, source: str, code_version: str) -> int:
    """Stores a new search, running from now on; returns its id. ConfigError where the name is taken.

    With it, in the same transaction, its control where it asks for one. source: the experiment file verbatim.
    """
    experiment_id = _create(session, experiment, source=source, code_version=code_version)
    control = experiment.control_experiment()
    if control is not None:
        _create(session, control, source=source, code_version=code_version, control_of=experiment_id)
    return experiment_id


def create_final(session: Session, experiment: Experiment, *, of: int) -> int:
    """Stores the search that trains the best of search `of` to the end; returns its id. ConfigError where the name is
    taken."""
    parent = session.get_one(ExperimentRow, of)
    return _create(session, experiment, source=parent.source, code_version=parent.code_version, final_of=of)


def _create(
    session: Session,
    experiment: Experiment,
    *,
    source: str,
    code_version: str,
    control_of: int | None = None,
    final_of: int | None = None,
) -> int:
    row = {
        "name": experiment.name,
        "source": source,
        "config": experiment.model_dump(mode="json"),
        "devices": list(experiment.devices),
        "seed": experiment.seed,
        "code_version": code_version,
        "control_of": control_of,
        "final_of": final_of,
    }
    statement = insert(ExperimentRow).values(row).on_conflict_do_nothing(index_elements=["name"])
    experiment_id = session.scalar(statement.returning(ExperimentRow.id))
    if experiment_id is None:
        raise ConfigError(f"name: there is a search called {experiment.name!r} already; choose another name")
    events.record(session, EventKind.EXPERIMENT_CREATED, experiment_id=experiment_id)
    return experiment_id


def find(session: Session, name_or_id: str) -> StoredExperiment:
    """The search of that name or id. NotFound lists names that are near."""
    query = select(ExperimentRow).where(ExperimentRow.name == name_or_id)
    if _is_id(name_or_id):
        query = select(ExperimentRow).where(ExperimentRow.id == int(name_or_id))
    row = None if "\0" in name_or_id else session.scalar(query)
    if row is None:
        raise NotFound(f"there is no search {name_or_id!r}{_nearest(session, name_or_id)}")
    return _stored(row)


def get(session: Session, experiment_id: int) -> StoredExperiment:
    return find(session, str(experiment_id))


def list_experiments(session: Session) -> list[StoredExperiment]:
    """All searches, oldest first."""
    return [_stored(row) for row in session.scalars(select(ExperimentRow).order_by(ExperimentRow.id))]


def active(session: Session) -> list[StoredExperiment]:
    """Searches that are not finished, oldest first."""
    unfinished = ExperimentRow.status != ExperimentStatus.FINISHED
    return [_stored(row) for row in session.scalars(select(ExperimentRow).where(unfinished).order_by(ExperimentRow.id))]


def stop(session: Session, experiment_id: int, *, reason: str | None = None) -> bool:
    """Running to stopped: nothing is proposed any more, what is in flight comes to its end. False: was not running.

    Its control with it. reason: what the user has to mend before the search can go on, where it was not the user who
    stopped it; the control, whose work is another's, is then left to run.
    """
    running, stopped = ExperimentStatus.RUNNING, ExperimentStatus.STOPPED
    control = control_id(session, experiment_id)
    if control is not None and reason is None:
        _change(session, control, [running], stopped, EventKind.EXPERIMENT_STOPPED)
    return _change(session, experiment_id, [running], stopped, EventKind.EXPERIMENT_STOPPED, reason)


def resume(session: Session, experiment_id: int) -> bool:
    """Stopped to running, its control too; evaluations that failed by what the user has mended meanwhile are queued
    again. False: was not stopped.
    """
    control = control_id(session, experiment_id)
    if control is not None:
        resume(session, control)
    running, stopped = ExperimentStatus.RUNNING, ExperimentStatus.STOPPED
    if not _change(session, experiment_id, [stopped], running, EventKind.EXPERIMENT_RESUMED):
        return False
    unfinished = select(CandidateRow.id).where(CandidateRow.experiment_id == experiment_id, changeable())
    halted = (
        EvaluationRow.candidate_id.in_(unfinished),
        EvaluationRow.status == EvaluationStatus.FAILED,
        EvaluationRow.code.in_(HALTING_CODES),
    )
    again = {"status": EvaluationStatus.QUEUED, "attempt": EvaluationRow.attempt + 1, "failures": 0}
    cleared = {"code": None, "reason": None, "finished_at": None, "dispatched_at": None, "not_before": NOW}
    session.execute(update(EvaluationRow).where(*halted).values({**again, **cleared}))
    return True


def finish(session: Session, experiment_id: int, *, reason: str | None = None) -> bool:
    """The search is over; reason: why before it had what was asked for. False: it was finished already."""
    before = [ExperimentStatus.RUNNING, ExperimentStatus.STOPPED]
    return _change(session, experiment_id, before, ExperimentStatus.FINISHED, EventKind.EXPERIMENT_FINISHED, reason)


def reopen(session: Session, experiment_id: int, *, reason: str) -> bool:
    """A finished search goes on, since there is something left to do. False: it was not finished."""
    before, running = [ExperimentStatus.FINISHED], ExperimentStatus.RUNNING
    if not _change(session, experiment_id, before, running, EventKind.EXPERIMENT_RESUMED, reason):
        return False
    cleared = {"finished_at": None, "reason": None}
    session.execute(update(ExperimentRow).where(ExperimentRow.id == experiment_id).values(cleared))
    return True


def change_limit(session: Session, experiment_id: int, candidates: int) -> Experiment:
    """Asks a search for so many complete candidates; a finished one goes on where that is more. Returns the search.

    ConfigError for a number that is none; Conflict for fewer than are complete already.
    """
    query = select(ExperimentRow).where(ExperimentRow.id == experiment_id).with_for_update()
    row = session.scalars(query).one()
    before = read_config(row.name, dumps(row.config)).stop.candidates
    known = _complete(session, experiment_id)
    if candidates < known:
        raise Conflict(f"stop.candidates = {candidates}: {known} are complete already")
    config = {**row.config, "stop": {**row.config["stop"], "candidates": candidates}}
    changed = parse_experiment(config, f"search {row.name!r}")
    session.execute(update(ExperimentRow).where(ExperimentRow.id == experiment_id).values(config=config))
    details = {"stop.candidates": [before, candidates]}
    events.record(session, EventKind.EXPERIMENT_CHANGED, experiment_id=experiment_id, details=details)
    if candidates > known:
        reopen(session, experiment_id, reason=f"{candidates} candidates are asked for")
    control = control_id(session, experiment_id)
    if control is not None:
        change_limit(session, control, max(candidates, _complete(session, control)))
    return changed


def control_id(session: Session, experiment_id: int) -> int | None:
    """Of the random search that runs beside a search at equal cost; None where there is none."""
    return session.scalar(select(ExperimentRow.id).where(ExperimentRow.control_of == experiment_id))


def final_ids(session: Session, experiment_id: int) -> list[int]:
    """Of the searches that train a search's best networks to the end, oldest first."""
    query = select(ExperimentRow.id).where(ExperimentRow.final_of == experiment_id).order_by(ExperimentRow.id)
    return list(session.scalars(query))


def _complete(session: Session, experiment_id: int) -> int:
    mine = CandidateRow.experiment_id == experiment_id, CandidateRow.status == CandidateStatus.COMPLETE
    return session.scalar(select(func.count()).select_from(CandidateRow).where(*mine)) or 0


def _change(
    session: Session,
    experiment_id: int,
    before: Sequence[ExperimentStatus],
    after: ExperimentStatus,
    kind: EventKind,
    reason: str | None = None,
) -> bool:
    values: dict[str, object] = {"status": after, "reason": reason}
    if after is ExperimentStatus.FINISHED:
        values["finished_at"] = NOW
    statement = (
        update(ExperimentRow)
        .where(ExperimentRow.id == experiment_id, ExperimentRow.status.in_(before))
        .values(values)
        .returning(ExperimentRow.id)
    )
    changed = session.scalar(statement) is not None
    if changed:
        events.record(session, kind, experiment_id=experiment_id, details={"reason": reason} if reason else None)
    return changed


def _is_id(text: str) -> bool:
    """Names begin with a letter, so there is no doubt. 18 digits fit into a bigint."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def _nearest(session: Session, name: str) -> str:
    names = session.scalars(select(ExperimentRow.name).order_by(ExperimentRow.id.desc()).limit(1000)).all()
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names[:3]
    return f"; there is {', '.join(near)}" if near else "; there is none yet"


def _stored(row: ExperimentRow) -> StoredExperiment:
    return StoredExperiment(
        id=row.id,
        name=row.name,
        experiment=read_config(row.name, dumps(row.config)),
        status=row.status,
        reason=row.reason,
        created_at=row.created_at,
        finished_at=row.finished_at,
        control_of=row.name.removesuffix(CONTROL_SUFFIX) if row.control_of else None,
        final_of=_name(row, row.final_of),
    )


def _name(beside: ExperimentRow, experiment_id: int | None) -> str | None:
    session = object_session(beside)
    found = session.get(ExperimentRow, experiment_id) if session and experiment_id is not None else None
    return found.name if found else None


@lru_cache(maxsize=64)
def read_config(name: str, config_json: str) -> Experiment:
    """The stored model. ConfigError where this version of the code cannot read it.

    Cached: a claim needs it each time, and the same text always gives the same immutable model.
    """
    try:
        return Experiment.model_validate_json(config_json)
    except ValidationError as error:
        raise ConfigError(f"search {name!r} was stored by too different a version of the code: {error}") from error
