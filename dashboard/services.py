"""What the application works with, wired by whoever starts it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import text
from sqlalchemy.orm import Session

from dashboard.auth.entrance import Entrance
from db.artifacts import ArtifactStore
from db.experiment_text import ExperimentFile
from db.session import Database
from db.status_board import StatusBoard
from paretofarm.meter import NO_METER, Meter

READ_LIMIT_S = 20


def _no_metrics() -> bytes:
    return b""


def _nothing_to_check(file: ExperimentFile) -> None: ...


@dataclass(frozen=True)
class Services:
    """store: the artifacts; entrance: who is let in. check_experiment: raises where a search would fail from the start.

    metrics: Prometheus' text. code_version: what searches that are started here are noted with.
    """

    database: Database
    store: ArtifactStore
    entrance: Entrance
    code_version: str
    check_experiment: Callable[[ExperimentFile], None] = _nothing_to_check
    metrics: Callable[[], bytes] = _no_metrics
    meter: Meter = field(default=NO_METER)
    status_board: StatusBoard = field(default_factory=StatusBoard)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that changes nothing, sees one moment, and takes at most `READ_LIMIT_S` for a statement."""
        with self.database.transaction() as session:
            session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            session.execute(text(f"SET LOCAL statement_timeout = '{READ_LIMIT_S}s'"))
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.database.transaction() as session:
            yield session


def services_of(request: Request) -> Services:
    found = request.app.state.services
    assert isinstance(found, Services)
    return found


Wired = Annotated[Services, Depends(services_of)]
"""A parameter of this type is given the services."""
