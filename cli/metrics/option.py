"""The option `--metrics` of the processes."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from cli.metrics.address import VARIABLE, MetricsAddress
from paretofarm.errors import ConfigError

Command = TypeVar("Command", bound=Callable[..., Any])


def metrics_option(default: str | None = None) -> Callable[[Command], Command]:
    """The parsed address reaches the command as `metrics`; None where there shall be no metrics."""
    return click.option(
        "--metrics",
        callback=_parse,
        envvar=VARIABLE,
        show_envvar=True,
        default=default,
        show_default=default is not None,
        metavar="HOST:PORT",
        help="Serve metrics for Prometheus there; a port alone means this machine only."
        + ("" if default else " Off by default."),
    )


def _parse(ctx: click.Context, parameter: click.Parameter, value: str | None) -> MetricsAddress | None:
    if not value:
        return None
    try:
        return MetricsAddress.parse(value)
    except ConfigError as error:
        raise click.BadParameter(str(error), ctx, parameter) from error
