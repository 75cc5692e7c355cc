"""A search with what belongs to it: its random control, the search that trained its best to the end, its networks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db import experiments
from db.dossier.network import Network, read_networks
from db.dossier.run import Run, read_run
from db.experiments import StoredExperiment
from db.front import Front
from db.hypervolume import Hypervolume, hypervolume
from db.session import Database
from db.tables import NOW, CandidateRow
from paretofarm.apart import apart
from paretofarm.errors import Conflict
from paretofarm.lifecycle import CandidateStatus
from paretofarm.objective import cost_first
from paretofarm.picks import Pick, picks
from paretofarm.task import Task

MOST_NETWORKS = 60
"""That are looked at closely; of a longer front evenly chosen ones."""


@dataclass(frozen=True)
class Dossier:
    """own: the search; final: the one that trained its best to the end, the latest; other_finals: names of earlier
    ones. networks: those of `told`, all of a final search, else the members of the front. picks: ids.
    """

    at: datetime
    own: Run
    final: Run | None
    control: Run | None
    other_finals: tuple[str, ...]
    course: Hypervolume
    networks: tuple[Network, ...]
    picks: Mapping[Pick, int]

    @property
    def told(self) -> Run:
        """The search that knows best how good networks are."""
        return self.final or self.own

    @property
    def task(self) -> Task:
        return self.own.search.experiment.task

    @property
    def runs(self) -> tuple[Run, ...]:
        return tuple(run for run in (self.own, self.control, self.final) if run is not None)

    def network(self, pick: Pick) -> Network | None:
        return next((network for network in self.networks if network.id == self.picks.get(pick)), None)


def read_dossier(database: Database, name: str, device: str | None = None) -> Dossier:
    """As of one moment. name: of a search, or of one that trained another's best to the end.

    Errors: NotFound; ConfigError for a device class that the search does not name; Conflict where nothing is complete.
    """
    with database.transaction() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        return _read(session, name, device)


def _read(session: Session, name: str, device: str | None) -> Dossier:
    search, finals, wanted = _belonging(session, experiments.find(session, name))
    own = read_run(session, search, device)
    if not own.front.members:
        raise Conflict(f"{own.name} has no complete and feasible candidate yet: there is nothing to report")
    final = read_run(session, wanted, device) if wanted else None
    final = final if final and final.front.members else None
    control = experiments.control_id(session, search.id)
    told = final or own
    chosen = _picks(told.front)
    return Dossier(
        at=session.scalars(select(NOW)).one(),
        own=own,
        final=final,
        control=read_run(session, experiments.get(session, control), device) if control is not None else None,
        other_finals=tuple(other.name for other in finals if final is None or other.id != final.search.id),
        course=hypervolume(session, search, own.front.device),
        networks=read_networks(
            session,
            told.search,
            _ids(session, told, chosen.values(), everybody=final is not None),
            device=told.front.device,
            front=[member.id for member in told.front.members],
            before=own.search if final else None,
        ),
        picks=chosen,
    )


def _belonging(
    session: Session, found: StoredExperiment
) -> tuple[StoredExperiment, list[StoredExperiment], StoredExperiment | None]:
    """The search itself, all that trained its best to the end, and that of them which was meant."""
    search = experiments.find(session, found.final_of) if found.final_of else found
    finals = [experiments.get(session, final) for final in experiments.final_ids(session, search.id)]
    return search, finals, found if found.final_of else (finals[-1] if finals else None)


def _picks(front: Front) -> dict[Pick, int]:
    order = cost_first(front.objectives)
    points = [[each.sign * member.metrics[each.name] for each in order] for member in front.members]
    return {pick: front.members[index].id for pick, index in picks(np.array(points)).items()}


def _ids(session: Session, run: Run, picked: Iterable[int], *, everybody: bool) -> list[int]:
    """All complete candidates, or all members; where these are too many evenly chosen ones and the picked ones."""
    ids = [member.id for member in run.front.members]
    if everybody:
        query = select(CandidateRow.id).where(
            CandidateRow.experiment_id == run.search.id, CandidateRow.status == CandidateStatus.COMPLETE
        )
        ids = list(session.scalars(query.order_by(CandidateRow.number)))
    return sorted({ids[index] for index in apart(len(ids), MOST_NETWORKS)} | set(picked))
