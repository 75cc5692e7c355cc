"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

SEARCH = click.argument("search", metavar="SEARCH")
DEVICE = click.option(
    "--device", default=None, metavar="CLASS", help="Device class.  [default: the first that the search names]"
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
PLOT = click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="FILE",
    help="Draw a picture: .png, .pdf or .svg.",
)
PHONES = click.option(
    "--phones", type=click.IntRange(1, 64), default=None, metavar="N", help="Virtual phones.  [default: 2]"
)
DEFAULT_WORKERS = "[default: four for each GPU, at most one a processor; without GPUs one a processor]"
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    default=None,
    metavar="N",
    help="Trainings, builds and compilations at a time.  " + DEFAULT_WORKERS,
)


def json_or_csv(function: Function) -> Function:
    """--json and --csv, of which one may be given."""
    csv = click.option("--csv", "as_csv", is_flag=True, help="Print CSV: the same columns for every search.")
    return JSON(csv(function))


def check_one_format(as_json: bool, as_csv: bool) -> None:
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
