"""`paretofarm finish`."""

import os
from pathlib import Path

import click

from cli.commands.options import JSON, PHONES, PLOT, SEARCH, WORKERS
from cli.finish import finish_search
from cli.search_start import Start


@click.command()
@SEARCH
@click.option("--members", default=None, metavar="front|N", help="The whole front, or the N best.  [default: front]")
@click.option("--epochs", type=click.IntRange(1, 10_000), default=None, metavar="N", help="Of training.  [default: 30]")
@click.option(
    "--recipe",
    type=click.Choice(["strong", "archai", "search"]),
    default=None,
    help="Training settings; `search`: those that the search trained with.  [default: strong]",
)
@click.option("--name", default=None, metavar="NAME", help="Of the search that does it.  [default: SEARCH-final]")
@click.option("--wait", is_flag=True, help="Show progress until it is over, then print the front.")
@PLOT
@JSON
@PHONES
@WORKERS
def finish(
    search: str,
    members: str | None,
    epochs: int | None,
    recipe: str | None,
    name: str | None,
    wait: bool,
    plot: Path | None,
    as_json: bool,
    phones: int | None,
    workers: int | None,
) -> None:
    """Train the best networks of a search to the end.

    SEARCH is a name or an id of one that is over, or stopped. Its candidates were trained for a moment only: those on
    its front are trained anew and wholly, quantized from their trained weights, measured again, and scored on the
    device. That is a search of its own, SEARCH-final, to be watched, stopped and queried like any other; Ctrl-C loses
    nothing, and the same command again goes on. What the experiment file says under `final:` is the default.

    \b
    Examples:
      paretofarm finish faces-demo --epochs 30 --wait
      paretofarm finish faces-demo --members 3 --recipe archai --name faces-archai
      paretofarm front faces-demo-final
    """
    if plot and not wait:
        raise click.UsageError("--plot needs --wait; later: paretofarm front SEARCH-final --plot FILE.png")
    said = {"members": _members(members), "epochs": epochs, "recipe": recipe}
    start = Start(wait=wait, plot=plot, as_json=as_json, phones=phones, workers=workers, check_data=False)
    wanted = {key: value for key, value in said.items() if value is not None}
    finish_search(os.environ, search, wanted, name, start, processors=os.cpu_count() or 1)


def _members(text: str | None) -> str | int | None:
    if text is None or text == "front":
        return text
    if not text.isascii() or not text.isdigit() or not int(text):
        raise click.BadParameter(f"{text!r} is neither `front` nor a number", param_hint="--members")
    return int(text)
