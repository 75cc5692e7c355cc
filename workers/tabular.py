"""Build, compile and train by looking up a table: for whole searches in seconds. Everything is labelled simulated."""

from collections.abc import Iterator, Mapping

from db.claim import Claim
from db.report import EpochMetrics, Report
from db.table_files import TableFiles
from paretofarm.errors import BuildFailed, TrainingDiverged
from paretofarm.lifecycle import Stage
from paretofarm.table import Table
from paretofarm.table_settings import TableColumn
from paretofarm.training import TabularTraining


def look_up(claim: Claim, files: TableFiles) -> Report:
    """What the work of a claim would have come to.

    Errors: DataError for a table that is not there or lacks what the experiment names; BuildFailed for an architecture
    that it lacks; TrainingDiverged where nobody knows how good it is.
    """
    training = claim.experiment.training
    if not isinstance(training, TabularTraining) or claim.step.stage is Stage.COMPILE:
        return Report(details={"simulated": True}, simulated=True)
    table = files.table(training, claim.experiment.search_space.search_space())
    if claim.step.stage is Stage.BUILD:
        return Report(metrics=_built(claim, training, table), details={"simulated": True}, simulated=True)
    return _trained(claim, training, table, claim.step.rung or 0)


def _built(claim: Claim, training: TabularTraining, table: Table) -> Mapping[str, float]:
    values = {name: table.value(claim.architecture, column) for name, column in training.build.items()}
    unknown = [name for name, value in values.items() if value is None]
    if unknown:
        raise BuildFailed(f"the table does not know {', '.join(unknown)} of this architecture")
    return {name: value for name, value in values.items() if value is not None}


def _trained(claim: Claim, training: TabularTraining, table: Table, rung: int) -> Report:
    """One epoch stands for all those of the rung: the last one."""
    metrics = dict(_metrics(claim, training, table, rung))
    seconds = [table.value(claim.architecture, column) or 0.0 for column in training.seconds[: rung + 1]]
    spent_s = seconds[-1] - (seconds[-2] if rung else 0.0) if seconds else 0.0
    # Of a training loss a table knows nothing, and the database wants one.
    epoch = EpochMetrics(training.epochs[rung], metrics.get("loss", 0.0), max(0.0, spent_s), metrics)
    return Report(metrics=metrics, epochs=[epoch], details={"simulated": True}, simulated=True)


def _metrics(claim: Claim, training: TabularTraining, table: Table, rung: int) -> Iterator[tuple[str, float]]:
    for name, columns in training.metrics.items():
        column: TableColumn = columns[rung]
        value = table.value(claim.architecture, column)
        if value is None:
            raise TrainingDiverged(f"the table does not know {column.column} of this architecture")
        yield name, value
