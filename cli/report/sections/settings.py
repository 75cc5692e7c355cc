"""How the search was set up: what somebody needs who wants to do it again."""

from typing import Any

import yaml

from cli.report.blocks import Block, Code, Facts, Section
from cli.report.naming import listed
from cli.words import duration
from db.dossier import Dossier, Run


def section(dossier: Dossier) -> Section:
    blocks: list[Block] = [Facts(tuple(_facts(dossier)))]
    blocks.append(Code(f"The experiment file of {dossier.own.name}", dossier.own.source))
    if dossier.final:
        document = yaml.safe_dump(_training(dossier.final), sort_keys=False)
        blocks.append(Code("How the best were trained to the end", document))
    return Section("Settings", "settings", blocks)


def _training(run: Run) -> dict[str, Any]:
    """Where the data set lay is nobody's business, what it is called may be."""
    training = run.search.experiment.training
    if training is None or training.dataset is None:
        return {}
    document = training.model_dump(mode="json", exclude_none=True)
    return {**document, "dataset": {**document["dataset"], "path": training.dataset.path.name}}


def _facts(dossier: Dossier) -> list[tuple[str, str]]:
    own = dossier.own
    experiment = own.search.experiment
    facts = [
        ("search", f"{own.name} (id {own.search.id})"),
        ("seed", str(experiment.seed)),
        ("search space", experiment.search_space.type),
        ("algorithm", experiment.algorithm.type),
        ("device classes", listed(experiment.devices) if experiment.devices else "none"),
        ("code version", own.code_version),
    ]
    return facts + [(f"time of {run.name}", _time(run)) for run in dossier.runs]


def _time(run: Run) -> str:
    search = run.search
    end = f"{search.finished_at:%Y-%m-%d %H:%M}" if search.finished_at else f"{search.status.value}, not over"
    reason = f" ({search.reason})" if search.reason else ""
    return f"{search.created_at:%Y-%m-%d %H:%M} to {end} UTC{reason}, {duration(run.elapsed_s)}"
