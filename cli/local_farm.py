"""Scheduler, worker, phones and agents of this machine, with embedded servers or the user's own."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import click

from cli.connection import data_folder, has_own_servers, settings_with, upgrade
from cli.file_errors import readable_errors
from cli.local_stack import LocalStack, ProcessSpec, ServiceStatus, StackUrls
from cli.metrics.address import metrics_address
from cli.own_servers import ProcessGroup
from cli.searches import check_artifact_store
from cli.secret_files import with_secrets
from cli.signals import interruptible, undisturbed, wait_for_interrupt
from cli.stack.logfile import complaint, read_tail
from cli.stack.remote import Address, Remote, remote_lines, write_private
from cli.stack_processes import Crew, phone_addresses, process_specs
from db import migrate
from paretofarm.errors import ConfigError, StackError
from paretofarm.settings import BROKER_URL, DATABASE_URL, Settings

RESTARTS_WORTH_SAYING = 2
ENDINGS_ENOUGH = 4
"""After about ten seconds."""
NEEDED = ("postgres", "broker", "scheduler", "worker")


@dataclass(frozen=True)
class Farm:
    """What runs. phones: agent's name to `host:port`; device_classes: theirs; page: the web page's address, if any."""

    settings: Settings
    stack: LocalStack | ProcessGroup
    phones: Mapping[str, str]
    device_classes: tuple[str, ...]
    page: str | None = None

    def trouble(self) -> str | None:
        """A line about the first process that does not stay up, if any.

        Errors: StackError once a process that everything needs has ended at so many starts that it always will.
        """
        for service in self.stack.services():
            if _is_hopeless(service):
                log = self.stack.folder.log(service.name)
                raise StackError(
                    f"{service.name} ends at every start ({_exit(service)}): {complaint(read_tail(log))}: see {log}"
                )
            if service.restarts >= RESTARTS_WORTH_SAYING and (service.pid is None or not service.ready):
                return f"{service.name} keeps ending ({_exit(service)}): see {self.stack.folder.log(service.name)}"
        return None


def run_farm(environment: Mapping[str, str], crew: Crew, listen: Address | None = None) -> None:
    """Runs until Ctrl-C or SIGTERM. listen: where the embedded servers let other machines in.

    Errors: StackError, ConfigError, DatabaseUnavailable.
    """
    own = has_own_servers(environment)
    if own and listen:
        raise ConfigError(f"--listen is for the embedded servers, and {DATABASE_URL} names others")
    farm_here = farm_on_own_servers(environment, crew) if own else embedded_farm(environment, crew, listen=listen)
    with interruptible(), farm_here as farm:
        _announce(farm)
        wait_for_interrupt()
        click.echo("stopping", err=True)


def with_store(settings: Settings) -> bool:
    """All processes are needed, and a store for what they make. Errors: those of `check_artifact_store`."""
    check_artifact_store(settings)
    return True


@contextmanager
def embedded_farm(
    environment: Mapping[str, str],
    crew: Crew,
    begin: Callable[[Settings], bool] = with_store,
    *,
    listen: Address | None = None,
) -> Iterator[Farm]:
    """Servers and processes run within the block and are stopped in order after it. The database is migrated.

    begin: called when the servers answer, before any process starts; says whether processes are needed at all.
    """
    crew.check()
    folder = data_folder(environment)
    farm: list[Farm] = []

    def processes(urls: StackUrls) -> list[ProcessSpec]:
        settings = settings_with(environment, urls.database, urls.broker)
        metrics = metrics_address(environment)
        specs = (
            process_specs(settings, folder, crew, find_servers=listen is not None, metrics=metrics)
            if begin(settings)
            else []
        )
        page = crew.page.url if crew.page and specs else None
        farm.append(Farm(settings, stack, phone_addresses(specs), crew.answered, page))
        return specs

    stack = LocalStack(folder, processes, prepare=lambda urls: upgrade(urls.database), listen=listen)
    try:
        stack.start()
        stack.publish_phones(farm[0].phones)
        if remote := stack.remote():
            _invite(remote, farm[0])
        yield farm[0]
    finally:
        with undisturbed():
            stack.stop()


@contextmanager
def farm_on_own_servers(environment: Mapping[str, str], crew: Crew) -> Iterator[Farm]:
    """The same with servers that the environment names; none is started, and nothing is migrated."""
    crew.check()
    if not environment.get(BROKER_URL):
        raise ConfigError(f"{DATABASE_URL} is set but {BROKER_URL} is not: set both or neither")
    settings = Settings.from_environment(with_secrets(environment))
    migrate.require_usable(settings.database_url)
    check_artifact_store(settings)
    group = ProcessGroup(data_folder(environment))
    specs = process_specs(settings, group.folder.root, crew, metrics=metrics_address(environment))
    try:
        group.start(specs)
        yield Farm(settings, group, phone_addresses(specs), crew.answered, crew.page.url if crew.page else None)
    finally:
        with undisturbed():
            group.stop()


def _announce(farm: Farm) -> None:
    names = [service.name for service in farm.stack.services()]
    click.echo(f"running: {', '.join(names)}", err=True)
    click.echo(f"logs: {farm.stack.folder.logs}", err=True)
    for name, address in farm.phones.items():
        click.echo(f"{name}: virtual phone on {address}", err=True)
    if farm.page:
        click.echo(f"web page: {farm.page}", err=True)
    click.echo("next, in another terminal: paretofarm search start FILE.yaml --wait", err=True)
    click.echo("Ctrl-C stops everything; what was found stays.", err=True)


def _invite(remote: Remote, farm: Farm) -> None:
    artifacts = farm.settings.artifacts
    is_here = urlsplit(artifacts).scheme in ("", "file")
    file = farm.stack.folder.remote
    with readable_errors(file, StackError):
        write_private(file, "".join(f"{line}\n" for line in remote_lines(remote, None if is_here else artifacts)))
    address = remote.address
    ports = f"Postgres on {address.at(address.port)}, broker on {address.at(address.broker_port)}"
    click.echo(f"listening, unencrypted: {ports}", err=True)
    click.echo(f"for workers and agents on other machines: {file} (holds the password)", err=True)


def _is_hopeless(service: ServiceStatus) -> bool:
    """What somebody has killed may well stay up next time."""
    killed = service.exit_code in (-signal.SIGKILL, -signal.SIGTERM)
    ended = service.pid is None and not killed
    return service.name in NEEDED and ended and service.quick_endings >= ENDINGS_ENOUGH


def _exit(service: ServiceStatus) -> str:
    return f"{service.restarts} restarts, exit code {service.exit_code}"
