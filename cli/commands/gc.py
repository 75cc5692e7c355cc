"""`paretofarm gc`: frees space that nobody needs any more."""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import groupby

import click

from cli.artifact_store import artifact_store, storage_settings
from cli.commands.options import JSON
from cli.connection import open_database
from cli.words import bytes_text
from db.artifact_cache import shrink, surplus
from db.collection import collect, plan
from db.retention import Expendable, Policy

UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
LEAST_GRACE_HOURS = 2


@dataclass(frozen=True)
class Share:
    """Artifacts of one kind that go for one reason."""

    kind: str
    reason: str
    artifacts: int
    bytes: int


class Size(click.ParamType[int]):
    """`500MB`, `20G`: decimal."""

    name = "SIZE"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B?", str(value))
        if match is None:
            self.fail(f"{value!r} is no size such as 500MB or 20GB", param, ctx)
        return int(float(match[1]) * UNITS[match[2]])


@click.command()
@click.option("--delete", is_flag=True, help="Do it. Without, nothing is changed.")
@click.option(
    "--checkpoints-after", type=click.FloatRange(0), default=7.0, show_default=True, metavar="DAYS",
    help="Checkpoints of candidates off the front, this long after they finished.",
)  # fmt: skip
@click.option(
    "--networks-after", type=click.FloatRange(0), default=30.0, show_default=True, metavar="DAYS",
    help="Networks (ONNX, compiled) of candidates off the front, this long after they finished.",
)  # fmt: skip
@click.option(
    "--grace", type=click.FloatRange(LEAST_GRACE_HOURS), default=24.0, show_default=True, metavar="HOURS",
    help="Nothing that was stored later than this is touched.",
)  # fmt: skip
@click.option("--cache", type=Size(), default=None, help="Only: shrink this machine's copies (PARETOFARM_CACHE).")
@JSON
def gc(
    delete: bool, checkpoints_after: float, networks_after: float, grace: float, cache: int | None, as_json: bool
) -> None:
    """Remove artifacts that nobody needs; says what would go unless --delete is given.

    Kept whatever their age: artifacts of candidates that are unfinished, exported, pinned, or on a Pareto front (of any
    search, for any device class and any pair of objectives). Files in the store that the database does not know go
    after the grace time. The database keeps all numbers; of a removed artifact it says when it went.

    \b
    Examples:
      paretofarm gc
      paretofarm gc --checkpoints-after 1 --delete
      paretofarm gc --cache 20GB --delete
    """
    if cache is not None:
        shares = _shrink_cache(cache, delete=delete)
    else:
        days = {"checkpoints_after": timedelta(checkpoints_after), "networks_after": timedelta(networks_after)}
        shares = _collect(Policy(**days, grace=timedelta(hours=grace)), delete=delete)
    if as_json:
        click.echo(json.dumps({"deleted": delete, "artifacts": [asdict(share) for share in shares]}))
    else:
        _print(shares, delete=delete)


def _collect(policy: Policy, *, delete: bool) -> list[Share]:
    store = artifact_store(os.environ)
    with open_database(os.environ) as database:
        return _shares((collect if delete else plan)(database, store, policy))


def _shrink_cache(limit_bytes: int, *, delete: bool) -> list[Share]:
    copies = (shrink if delete else surplus)(storage_settings(os.environ).cache, limit_bytes)
    size = sum(copy.size_bytes for copy in copies)
    return [Share("copy", "least recently used", len(copies), size)] if copies else []


def _shares(found: Sequence[Expendable]) -> list[Share]:
    def key(each: Expendable) -> tuple[str, str]:
        return each.kind, each.reason.value

    return [
        Share(kind, reason, len(group), sum(each.size_bytes for each in group))
        for (kind, reason), members in groupby(sorted(found, key=key), key)
        for group in [list(members)]
    ]


def _print(shares: Sequence[Share], *, delete: bool) -> None:
    for share in shares:
        click.echo(f"{share.artifacts:>8,}  {bytes_text(share.bytes):>9}  {share.kind}: {share.reason}")
    total = f"{sum(share.artifacts for share in shares):,} artifacts"
    size = bytes_text(sum(share.bytes for share in shares))
    if delete:
        click.echo(f"removed {total}, {size}")
    else:
        click.echo(f"would remove {total}, {size}" + ("; --delete does it" if shares else ""))
