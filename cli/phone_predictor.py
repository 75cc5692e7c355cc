"""How well latencies are predicted, for people."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from cli.tables import print_table
from db.documents.predictor import PredictorReport
from db.latencies import LatencyGroup


def print_predictors(reports: Sequence[PredictorReport]) -> None:
    """A row for each device class and space."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("device", "space", "runtime", "searches"):
        table.add_column(name)
    for name in ("measurements", "judged", "MAPE", "median", "Kendall's tau", "in 95 % interval"):
        table.add_column(name, justify="right")
    for report in reports:
        table.add_row(*_cells(report))
    print_table(table, less_important=["runtime", "searches", "judged"])


def _cells(report: PredictorReport) -> tuple[str, ...]:
    group, quality = report.group, report.quality
    device = f"{group.device} (simulated)" if group.simulated else group.device
    measurement = group.experiment.measurement
    runtime = measurement.runtime if measurement else ""
    searches = ", ".join(group.searches)
    names = (device, _space(group), runtime, searches, str(quality.measurements), str(quality.judged))
    if quality.mape is None or quality.median_ape is None or quality.tau is None or quality.coverage is None:
        return (*names, "-", "-", "-", "-")
    errors = (f"{quality.mape:.1%}", f"{quality.median_ape:.1%}")
    return (*names, *errors, f"{quality.tau:.2f}", f"{quality.coverage:.0%}")


def _space(group: LatencyGroup) -> str:
    """Its type and the side of its images; --json has all of it."""
    settings = group.experiment.search_space
    side = getattr(settings, "input_size", None)
    return f"{settings.type}, {side} px" if side else settings.type
