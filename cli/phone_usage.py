"""How busy phones were, for people."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from cli.tables import print_table
from db.phone_usage import PhoneUsage
from paretofarm.busy_share import DayOfWork


def print_usage(found: Sequence[PhoneUsage]) -> None:
    """A row for each phone and day on which there was the phone."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("serial", "device", "day (UTC)", "busy", "hours", "of that"):
        table.add_column(name, justify="right" if name in ("busy", "hours") else "left")
    for usage in found:
        facts = usage.phone.facts
        device = f"{facts.device} (simulated)" if facts.simulated else facts.device
        for day in usage.days:
            if day.of_s > 0:
                table.add_row(facts.serial, device, day.day.isoformat(), *_cells(day))
    print_table(table, less_important=["of that", "hours"])


def _cells(day: DayOfWork) -> tuple[str, str, str]:
    kinds = ", ".join(f"{kind} {seconds / 3600:.1f} h" for kind, seconds in day.by_kind.items())
    return f"{day.share:.0%}", f"{day.busy_s / 3600:.1f}", kinds
