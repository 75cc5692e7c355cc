"""`paretofarm phones`."""

import json
import os
from collections.abc import Sequence

import click
from rich import box
from rich.table import Table

from cli.commands.options import JSON
from cli.connection import NothingYet, open_database
from cli.phone_usage import print_usage
from cli.tables import print_table
from db import phones as stored
from db.documents.phone import phone_document, temperature
from db.latencies import latency_groups
from db.phone_usage import PhoneUsage, read_usage, usage_document
from db.phones import Phone, list_phones
from db.session import Database

LONGEST_DAYS = 366


@click.group(invoke_without_command=True)
@click.option("--usage", is_flag=True, help="How busy each phone was, day by day (UTC).")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=7, show_default=True, help="With --usage.")
@click.option("--predictor", is_flag=True, help="How well latencies are predicted before they are measured.")
@JSON
@click.pass_context
def phones(context: click.Context, usage: bool, days: int, predictor: bool, as_json: bool) -> None:
    """List the phones that agents have registered, and their state.

    \b
    ready, busy     measuring, or waiting for work
    offline         does not answer: cable, power, adb tcpip 5555
    unauthorized    accept this computer's key on the phone's screen
    booting         has just been switched on, or rebooted by its agent
    cooling         too hot; it is waited for
    low_battery     plug it in
    full            no space left on it
    suspect         failed what it used to do; its agent tries to recover it
    quarantined     nothing helped: see to it, then `paretofarm phones release SERIAL`
    unhealthy       power saver, another benchmark, something that keeps it busy
    """
    if context.invoked_subcommand is not None:
        return
    if usage and predictor:
        raise click.UsageError("--usage and --predictor are two answers: ask for one")
    if usage:
        _show_usage(days, as_json)
    elif predictor:
        _show_predictors(as_json)
    else:
        _show_phones(as_json)


@phones.command()
@click.argument("serial")
def release(serial: str) -> None:
    """End a phone's quarantine: its agent makes it run the reference network, then measures on it again."""
    try:
        with open_database(os.environ) as database, database.transaction() as session:
            was_in = stored.release(session, serial)
    except NothingYet as nothing:
        raise stored.no_such_phone(serial) from nothing
    click.echo(f"{serial} is released" if was_in else f"{serial} was in no quarantine", err=True)


def _show_phones(as_json: bool) -> None:
    try:
        with open_database(os.environ) as database, database.transaction() as session:
            found = list_phones(session)
    except NothingYet:
        found = []
    if as_json:
        click.echo(json.dumps([phone_document(phone) for phone in found]))
    elif not found:
        _say_there_are_none()
    else:
        _print(found)


def _show_usage(days: int, as_json: bool) -> None:
    try:
        with open_database(os.environ) as database:
            found = _usage(database, days)
    except NothingYet:
        found = []
    if as_json:
        click.echo(json.dumps([usage_document(phone) for phone in found]))
    elif not found:
        _say_there_are_none()
    else:
        print_usage(found)


def _usage(database: Database, days: int) -> list[PhoneUsage]:
    with database.transaction() as session:
        return read_usage(session, days)


def _show_predictors(as_json: bool) -> None:
    from cli.phone_predictor import print_predictors  # they load scipy
    from db.documents.predictor import judge_predictors

    try:
        with open_database(os.environ) as database, database.transaction() as session:
            groups = latency_groups(session)
    except NothingYet:
        groups = []
    reports = judge_predictors(groups)
    if as_json:
        click.echo(json.dumps([report.to_json() for report in reports]))
    elif reports:
        print_predictors(reports)
    else:
        click.echo("nothing has been measured yet", err=True)


def _say_there_are_none() -> None:
    click.echo("no phones yet: `paretofarm up` starts virtual ones, `paretofarm agent` adds yours", err=True)


def _print(found: Sequence[Phone]) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    names = ("id", "serial", "device", "state", "since (UTC)", "°C", "model", "SoC", "address", "last seen (UTC)")
    for name in (*names, "reason"):
        table.add_column(name, overflow="fold" if name == "reason" else "ellipsis")
    for phone in found:
        facts = phone.facts
        since = f"{phone.state_since:%Y-%m-%d %H:%M:%S}" if phone.state_since else ""
        heat = temperature(phone)
        celsius = "" if heat is None else f"{heat:g}"
        model = f"{facts.model} (simulated)" if facts.simulated else facts.model
        seen = f"{phone.last_seen_at:%Y-%m-%d %H:%M:%S}"
        state = (facts.serial, facts.device, phone.state.value, since, celsius)
        table.add_row(str(phone.id), *state, model, facts.soc, facts.address, seen, phone.state_reason or "")
    print_table(table, less_important=["last seen (UTC)", "address", "SoC", "id", "since (UTC)", "°C", "reason"])
