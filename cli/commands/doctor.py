"""`paretofarm doctor`: what is missing, and what to do."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict

import click

from cli.checks import examine
from cli.finding import Finding


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Say what is missing on this machine and what to do.

    Looks at Python, the optional packages, the embedded servers, database, broker, disk space, phones, psql, GPUs, and
    at SDKs and programs that device runtimes need.
    Exit code 1 where something is missing without which nothing works; the rest are lines marked `missing`.
    """
    findings = examine(os.environ)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    if any(finding.essential and not finding.ok for finding in findings):
        ctx.exit(1)


def _print(findings: Sequence[Finding]) -> None:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark = click.style("ok     ", fg="green") if finding.ok else click.style("missing", fg="red")
        click.echo(f"{mark}  {finding.name:<{width}}  {finding.what}")
        if not finding.ok and finding.remedy:
            click.echo(f"{'':7}  {'':<{width}}  → {finding.remedy}")
    if all(finding.ok for finding in findings):
        click.echo("Everything is there.")
