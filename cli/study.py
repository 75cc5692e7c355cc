"""`paretofarm study proxies`: trains the same networks in several ways, and says how well each ranks them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import yaml
from rich import box
from rich.table import Table
from sqlalchemy.orm import Session

from cli.code_version import code_version
from cli.experiment_file import read_experiment_file
from cli.local_farm import Farm
from cli.search_start import Start, Task, start_task, watched
from cli.tables import print_table
from db import candidates, experiments
from db.cost import trained_s
from db.experiment_text import ExperimentFile
from db.experiments import ExperimentStatus, StoredExperiment
from db.search_start import Beginning, Begun, begin_search
from db.session import Database
from paretofarm.errors import ConfigError, ServiceError
from paretofarm.experiment import NAME_LENGTH, Experiment
from paretofarm.lifecycle import CandidateStatus
from paretofarm.proxies import Proxy, Verdict, judge, judged_by, study_networks, trial

LONGEST_LABEL = 16


@dataclass(frozen=True)
class Study:
    """Searches of the same networks: by proxies, and the last by full training."""

    experiment: Experiment
    proxies: tuple[Proxy, ...]
    trials: tuple[Experiment, ...]

    @classmethod
    def of(cls, experiment: Experiment, proxies: Sequence[Proxy], networks: int) -> "Study":
        """proxies: the last is the full training. Errors: ConfigError."""
        chosen = study_networks(experiment, networks)
        base = experiment.name[: NAME_LENGTH - LONGEST_LABEL - len("-study-")]
        names = [f"{base}-study-{proxy.label}" for proxy in proxies]
        pairs = zip(proxies, names, strict=True)
        trials = [trial(experiment, proxy, chosen, count=networks, name=name) for proxy, name in pairs]
        return cls(experiment, tuple(proxies), tuple(trials))


def study_proxies(
    environment: Mapping[str, str],
    path: Path,
    networks: int,
    full: int,
    proxies: Sequence[Proxy],
    start: Start,
    *,
    processors: int,
) -> None:
    """full: epochs of the full training. Errors: as `start_search`."""
    ways = dict.fromkeys([*proxies, Proxy(epochs=full)])
    if len(ways) == 1:
        raise ConfigError("--proxy: the only one is the full training itself")
    study = Study.of(read_experiment_file(path).experiment, tuple(ways), networks)
    again = f"paretofarm study proxies {path} … (the same options)"

    def see(database: Database, start: Start, begun: Begun, farm: Farm | None) -> None:
        _see(database, study, start, farm)

    task = Task(study.trials[-1], lambda database: _begin(database, study), again, see)
    start_task(environment, task, start, processors=processors)


def _begin(database: Database, study: Study) -> Begun:
    """All of its searches; the one returned goes on longest, where any does."""
    begun = [begin_search(database, _file(experiment), code_version()) for experiment in study.trials]
    return next((each for each in reversed(begun) if each.beginning is not Beginning.FINISHED), begun[-1])


def _file(experiment: Experiment) -> ExperimentFile:
    source = yaml.safe_dump(experiment.model_dump(mode="json"), sort_keys=False)
    return ExperimentFile(Path(experiment.name), source, experiment)


def _see(database: Database, study: Study, start: Start, farm: Farm | None) -> None:
    for experiment in study.trials:
        search = _found(database, experiment)
        if not start.wait:
            click.echo(f"search {search.name} (id {search.id}) {search.status.value}", err=True)
        elif search.status is not ExperimentStatus.FINISHED:
            _require_running(watched(database, search, farm))
    if start.wait:
        _report(study, start, _verdicts(database, study))
    else:
        click.echo("the same command with --wait prints the result", err=True)


def _found(database: Database, experiment: Experiment) -> StoredExperiment:
    with database.transaction() as session:
        return experiments.find(session, experiment.name)


def _require_running(search: StoredExperiment) -> None:
    if search.status is ExperimentStatus.STOPPED:
        raise ServiceError(f"{search.name} was stopped{': ' + search.reason if search.reason else ''}")


def _verdicts(database: Database, study: Study) -> list[Verdict]:
    """Errors: ServiceError where too few networks were trained in both ways."""
    key = judged_by(study.experiment).key
    with database.transaction() as session:
        told = [_values(session, experiment.name, key) for experiment in study.trials]
    (full, full_s), proxies = told[-1], zip(study.proxies[:-1], told[:-1], strict=True)
    judged = [judge(proxy, values, full, seconds=(train_s, full_s)) for proxy, (values, train_s) in proxies]
    found = [verdict for verdict in judged if verdict is not None]
    if not found:
        raise ServiceError(f"too few networks of {study.trials[-1].name} are complete to say anything of proxies")
    return found


def _values(session: Session, name: str, key: str) -> tuple[dict[str, float], float]:
    """The objective of each network by digest, and the seconds of their epochs."""
    search = experiments.find(session, name)
    complete = [each for each in candidates.members(session, search.id) if each.status is CandidateStatus.COMPLETE]
    values = {member.digest: member.metrics[key] for member in complete if key in member.metrics}
    return values, trained_s(session, search.id)


def _report(study: Study, start: Start, verdicts: Sequence[Verdict]) -> None:
    full = study.proxies[-1]
    if start.as_json:
        rows = [{**vars(verdict), "proxy": verdict.proxy.model_dump()} for verdict in verdicts]
        click.echo(json.dumps({"full": full.model_dump(), "proxies": rows}))
    else:
        _print(full, verdicts)
    if start.plot:
        from cli.study_plot import save_study  # matplotlib takes a moment

        save_study(study.experiment.name, full, verdicts, start.plot)
        click.echo(f"picture: {start.plot}", err=True)


def _print(full: Proxy, verdicts: Sequence[Verdict]) -> None:
    table = Table(box=box.SIMPLE_HEAD, title=f"Against {full.epochs} epochs on all images", title_justify="left")
    for name in ("epochs", "share", "size", "Kendall's tau", "95 % interval", "cost", "networks"):
        table.add_column(name, justify="right")
    for verdict in verdicts:
        proxy = verdict.proxy
        size = str(proxy.size) if proxy.size else "-"
        interval = f"{verdict.low:.2f} to {verdict.high:.2f}"
        cells = (f"{verdict.tau:.2f}", interval, f"{verdict.cost:.1%}", str(verdict.networks))
        table.add_row(str(proxy.epochs), f"{proxy.share:.0%}", size, *cells)
    print_table(table, less_important=["networks"])
