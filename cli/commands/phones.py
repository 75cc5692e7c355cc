"""`paretofarm phones`."""

import json
import os
from collections.abc import Sequence

import click
from rich import box
from rich.table import Table

from cli.commands.options import JSON
from cli.connection import NothingYet, open_database
from cli.tables import print_table
from db.phones import Phone, list_phones


@click.command()
@JSON
def phones(as_json: bool) -> None:
    """List the phones that agents have registered, and their state.

    \b
    ready, busy     measuring, or waiting for work
    offline         does not answer: cable, power, adb tcpip 5555
    unauthorized    accept this computer's key on the phone's screen
    unhealthy       too hot, low battery, no space: it is waited for
    """
    try:
        with open_database(os.environ) as database, database.transaction() as session:
            found = list_phones(session)
    except NothingYet:
        found = []
    if as_json:
        click.echo(json.dumps([_document(phone) for phone in found]))
    elif not found:
        click.echo("no phones yet: `paretofarm up` starts virtual ones, `paretofarm agent` adds yours", err=True)
    else:
        _print(found)


def _document(phone: Phone) -> dict[str, object]:
    facts = phone.facts
    return {
        "id": phone.id,
        "serial": facts.serial,
        "device": facts.device,
        "address": facts.address,
        "manufacturer": facts.manufacturer,
        "model": facts.model,
        "soc": facts.soc,
        "os_version": facts.os_version,
        "simulated": facts.simulated,
        "state": phone.state.value,
        "state_reason": phone.state_reason,
        "agent": phone.agent,
        "last_seen_at": phone.last_seen_at.isoformat(),
    }


def _print(found: Sequence[Phone]) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("id", "serial", "device", "state", "model", "SoC", "address", "last seen (UTC)", "reason"):
        table.add_column(name, overflow="fold" if name == "reason" else "ellipsis")
    for phone in found:
        facts = phone.facts
        model = f"{facts.model} (simulated)" if facts.simulated else facts.model
        seen = f"{phone.last_seen_at:%Y-%m-%d %H:%M:%S}"
        row = (str(phone.id), facts.serial, facts.device, phone.state.value, model, facts.soc, facts.address, seen)
        table.add_row(*row, phone.state_reason or "")
    print_table(table, less_important=["last seen (UTC)", "address", "SoC", "id", "reason"])
