"""`paretofarm study`: what a search's settings are worth."""

import os
from pathlib import Path

import click
from pydantic import ValidationError

from cli.commands.options import JSON, PLOT, WORKERS
from cli.search_start import Start
from cli.study import study_proxies
from paretofarm.proxies import Proxy

DEFAULTS = ("epochs=1,share=0.5", "epochs=1", "epochs=2", "epochs=4")


@click.group()
def study() -> None:
    """Measure what a search's settings are worth."""


@study.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.yaml")
@click.option(
    "--networks", type=click.IntRange(3, 1000), default=12, show_default=True, help="Random ones, trained in all ways."
)
@click.option(
    "--full", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Epochs of the full training."
)
@click.option(
    "--proxy",
    "texts",
    multiple=True,
    metavar="epochs=N[,share=S][,size=PIXELS]",
    help=f"A cheaper training; may be repeated.  [default: {'; '.join(DEFAULTS)}]",
)
@click.option("--wait", is_flag=True, help="Show progress until all are trained, then print the result.")
@PLOT
@JSON
@WORKERS
def proxies(
    file: Path,
    networks: int,
    full: int,
    texts: tuple[str, ...],
    wait: bool,
    plot: Path | None,
    as_json: bool,
    workers: int | None,
) -> None:
    """Find out which partial training ranks networks as a full one does.

    Random networks of an experiment's space, within its limits on parameters and MACs, are trained wholly and in each
    cheaper way: fewer epochs, a share of the images, smaller images. For each way the result says how well it ranks
    them (Kendall's tau against full training: 1 is the same order, 0 is chance) and at what share of the cost. Each
    way is a search of its own, NAME-study-...; Ctrl-C loses nothing, and the same command again goes on, or prints the
    result.

    \b
    Example:
      paretofarm study proxies examples/faces_demo.yaml --networks 12 --full 20 \\
          --proxy epochs=1 --proxy epochs=3 --proxy epochs=3,share=0.3 --wait --plot proxies.png
    """
    if plot and not wait:
        raise click.UsageError("--plot needs --wait")
    chosen = tuple(_proxy(text) for text in texts or DEFAULTS)
    start = Start(wait=wait, plot=plot, as_json=as_json, workers=workers)
    study_proxies(os.environ, file, networks, full, chosen, start, processors=os.cpu_count() or 1)


def _proxy(text: str) -> Proxy:
    pairs = [part.partition("=") for part in text.split(",")]
    document = {name.strip(): value.strip() for name, _, value in pairs}
    try:
        return Proxy.model_validate_strings(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or text
        raise click.BadParameter(f"{text!r}: {place}: {first['msg']}", param_hint="--proxy") from error
