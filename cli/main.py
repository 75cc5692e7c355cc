"""The `paretofarm` program. Commands are imported when they are called: `--help` needs click alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from cli.failure import error_boundary


@dataclass(frozen=True)
class CommandPlace:
    """Where a command is, and its line in the list of commands."""

    module: str
    attribute: str
    summary: str


COMMANDS: Mapping[str, CommandPlace] = {
    "up": CommandPlace("up", "up", "Run everything on this machine; Ctrl-C stops it."),
    "search": CommandPlace("search", "search", "Start, list, show, stop, resume and delete searches."),
    "finish": CommandPlace("finish", "finish", "Train a search's best networks to the end, and score them."),
    "study": CommandPlace("study", "study", "Measure which partial training ranks networks as a full one does."),
    "front": CommandPlace("front", "front", "Print or plot the Pareto front of a search."),
    "candidates": CommandPlace("candidates", "candidates", "List the candidates of a search; filter and sort them."),
    "candidate": CommandPlace("candidate", "candidate", "Show everything that is known about one candidate."),
    "report": CommandPlace("report", "report", "Write a search's report: one HTML file."),
    "export": CommandPlace("export", "export", "Write a candidate's networks and how to run them to a folder."),
    "dashboard": CommandPlace("dashboard", "dashboard", "Serve the web page and the HTTP API."),
    "token": CommandPlace("token", "token", "Make, list and revoke tokens for the HTTP API."),
    "phones": CommandPlace("phones", "phones", "List the phones and their state."),
    "data": CommandPlace("data", "data", "Write data sets to train on."),
    "db": CommandPlace("database", "database", "Migrate the database, or open psql on it."),
    "secrets": CommandPlace("secrets", "secrets", "Make and replace the passwords of a deployment."),
    "backup": CommandPlace("backup", "backup", "Copy the database and its artifacts to a folder or file."),
    "restore": CommandPlace("backup", "restore", "Put a backup into an empty database and an artifact store."),
    "gc": CommandPlace("gc", "gc", "Remove artifacts that nobody needs; first says which."),
    "doctor": CommandPlace("doctor", "doctor", "Say what is missing on this machine and what to do."),
    "scheduler": CommandPlace("processes", "scheduler", "Run the process that plans (one is needed)."),
    "worker": CommandPlace("processes", "worker", "Run a process that builds, compiles and trains."),
    "agent": CommandPlace("agent", "agent", "Run a process that measures on a phone."),
    "exporter": CommandPlace("exporter", "exporter", "Run the process that reads the database for Prometheus."),
    "phone": CommandPlace("phone", "phone", "Run a virtual phone."),
}

EPILOG = """\b
First steps:
  paretofarm doctor
  paretofarm data faces --count 1200 --size 64 --out data/faces
  paretofarm search start examples/faces_demo.yaml --wait --plot front.png
  paretofarm front faces-demo

\b
Settings come from the environment: PARETOFARM_DATABASE_URL and
PARETOFARM_BROKER_URL (your own servers; without them everything runs embedded,
with its data in PARETOFARM_DATA, ./.paretofarm by default),
PARETOFARM_ARTIFACTS (any fsspec url), PARETOFARM_CACHE,
PARETOFARM_LEASE_SECONDS (60; work whose owner is silent for so long goes to
somebody else), PARETOFARM_RESEND_SECONDS (30; until a message that nobody has
taken is sent again), PARETOFARM_CHECKPOINT_SECONDS (60; a training that goes on
leaves a checkpoint so often). A password that an address leaves out is in
PARETOFARM_DATABASE_PASSWORD_FILE or PARETOFARM_BROKER_PASSWORD_FILE, a file
(without _FILE: the password itself).
Exit codes: 0 done, 1 failed, 2 wrong input, 130 interrupted."""


class LazyGroup(click.Group):
    """Imports a command when it is asked for. Whatever a command raises becomes one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        command = getattr(import_module(f"cli.commands.{place.module}"), place.attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in COMMANDS.items()])

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with error_boundary():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with error_boundary():
            return super().invoke(ctx)


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="paretofarm", prog_name="paretofarm", message="%(prog)s %(version)s")
def main() -> None:
    """Find neural networks that are accurate and fast on real phones.

    An evolutionary Pareto search trains candidates on this machine's (or your cluster's) processors, measures them on
    phones over ADB, and keeps everything in Postgres.
    """


if __name__ == "__main__":
    main()
