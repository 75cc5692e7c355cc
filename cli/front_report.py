"""The Pareto front of a search: read once, then printed and drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from cli.picture import Picture, draw_up
from cli.tables import print_results
from db import experiments, reported
from db.candidates import counts
from db.documents.results import csv_text, document
from db.front import front
from db.reported import ReportedCandidate
from db.session import Database
from paretofarm.metrics import Goal
from paretofarm.objective import Objective


@dataclass(frozen=True)
class FrontReport:
    """picture: None where it was not asked for."""

    search: str
    device: str | None
    objectives: tuple[str, ...]
    results: tuple[ReportedCandidate, ...]
    picture: Picture | None

    @property
    def title(self) -> str:
        simulated = " (simulated phone)" if any(result.simulated for result in self.results) else ""
        on = f" on {self.device}{simulated}" if self.device else ""
        count = len(self.results)
        return f"Pareto front of {self.search}{on}: {count} member{'s' if count != 1 else ''}"


def read_front(database: Database, search: str, device: str | None, *, with_picture: bool) -> FrontReport:
    """Errors: NotFound, ConfigError for a device class that the search does not name."""
    with database.transaction() as session:
        stored = experiments.find(session, search)
        found = front(session, stored, device)
        picture = None
        if with_picture:
            everybody = reported.candidates(session, stored, device=found.device)
            by_status, tabular = counts(session, stored.id), stored.experiment.is_tabular
            picture = draw_up(stored.name, found, everybody, by_status, tabular=tabular)
    names = tuple(objective.name for objective in found.objectives)
    return FrontReport(stored.name, found.device, names, found.members, picture)


def write_front(report: FrontReport, *, as_json: bool, as_csv: bool, plot: Path | None) -> None:
    """Prints it on stdout; the picture goes to `plot`."""
    if as_json:
        click.echo(document(report.search, report.device, report.results))
    elif as_csv:
        click.echo(csv_text(report.results), nl=False)
    elif report.results:
        print_results(report.results, title=report.title, objectives=report.objectives, with_status=False)
    else:
        click.echo(f"{report.search} has no complete, feasible candidate", err=True)
    if plot and report.picture:
        from cli.plot import save_picture  # matplotlib takes a moment

        save_picture(report.picture, plot)
        click.echo(f"picture: {plot}", err=True)


def query_hints(search: str, objective: Objective, candidate_id: int, *, tabular: bool) -> Iterator[str]:
    """How to ask for more. objective: the search's first; tabular: there are no networks to export."""
    best_first = f"{'-' if objective.goal is Goal.MAXIMIZE else ''}{objective.name}"
    yield "ask for more:"
    yield f"  paretofarm front {search} --json"
    yield f"  paretofarm candidates {search} --sort={best_first}"
    yield f"  paretofarm candidate {candidate_id}"
    if not tabular:
        yield f"  paretofarm export {candidate_id}"
    yield f"  paretofarm db shell -c \"select * from pareto_front where search = '{search}'\""
