"""`paretofarm agent`: a process that measures on phones."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import click

from cli.connection import process_settings
from cli.logs import log_to_stderr
from cli.metrics.address import MetricsAddress
from cli.metrics.option import metrics_option
from paretofarm.errors import ConfigError
from paretofarm.instrument import Process
from paretofarm.settings import Settings

AGENT_KEY = Path("~/.paretofarm/adbkey")


@click.command()
@click.option(
    "--connect",
    "addresses",
    multiple=True,
    metavar="ADDRESS",
    help="Only this phone: HOST:PORT where its adbd listens (`adb tcpip 5555`), usb:SERIAL, usb:BUS-PORT or "
    "server:SERIAL; table:CLASS: none, tabular searches are answered. May be repeated.",
)
@click.option(
    "--serial", "serials", multiple=True, metavar="S", help="Of the attached phones only this one. Repeatable."
)
@click.option(
    "--adb-server",
    metavar="HOST:PORT",
    default=None,
    help="The adb server to look at and to go through; none is ever started.  "
    "[default: as adb's own ANDROID_ADB_SERVER_ADDRESS and …_PORT say, else 127.0.0.1:5037]",
)
@click.option("--list", "only_list", is_flag=True, help="Name the attached phones and what they need, then end.")
@click.option("--device-class", default=None, help="Phones whose latencies may be compared.  [default: the SoC's name]")
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    default=AGENT_KEY,
    show_default=True,
    help="This computer's private ADB key; made where there is none.",
)
@metrics_option()
@click.option("-v", "--verbose", is_flag=True, help="Log every step.")
def agent(
    addresses: tuple[str, ...],
    serials: tuple[str, ...],
    adb_server: str | None,
    only_list: bool,
    device_class: str | None,
    key: Path,
    metrics: MetricsAddress | None,
    verbose: bool,
) -> None:
    """Run processes that measure networks on phones.

    Without --connect it finds every phone, on USB and at the adb server, and runs a process for each, as phones are
    plugged in and out; it waits where there is none. Each registers its phone under its device class, waits until it is
    healthy and cool, claims measurements for that class and reports raw samples, summary and conditions. Of several
    phones, each agent's metrics take the next port. `paretofarm phones` shows them.

    With one --connect, and no --serial, it is that phone's process itself.

    \b
    Examples:
      paretofarm agent                                       every phone, plugged in now or later
      paretofarm agent --list                                what is attached, and what to tap; 1 where nothing is ready
      paretofarm agent --connect 192.168.1.20:5555 --device-class pixel-8
      paretofarm agent --adb-server host.docker.internal:5037    in a container: phones of the host's adb server
    """
    if only_list and addresses:
        raise click.UsageError("--list names what is attached by USB and at the adb server: leave out --connect")
    for address in addresses:
        check_address(address)
    if device_class is not None:
        check_device_class(device_class)
    os.environ.update(server_environment(adb_server))
    if only_list:
        list_phones(serials)
        return
    log_to_stderr(verbose=verbose)
    settings = process_settings(os.environ)
    if len(addresses) == 1 and not serials:
        _run_one(settings, addresses[0], device_class=device_class, key=key, metrics=metrics)
        return
    from cli.agents import AgentOptions, run_agents
    from device_agents.discovery.finder import finder_of_this_machine  # needs the extra `agent`
    from device_agents.link.server_place import ServerPlace

    options = AgentOptions(settings, key, device_class, metrics, verbose)
    finds = not addresses or serials
    run_agents(addresses, options, finder_of_this_machine(ServerPlace.of_environment(), serials) if finds else None)


def list_phones(serials: Sequence[str]) -> None:
    """One line per attached phone; exit code 1 where none can be used as it is."""
    from device_agents.discovery.finder import finder_of_this_machine  # needs the extra `agent`
    from device_agents.discovery.found import Readiness
    from device_agents.link.server_place import ServerPlace

    finder = finder_of_this_machine(ServerPlace.of_environment(), serials)
    found = finder.look()
    for phone in found:
        click.echo("\t".join([phone.address, phone.serial, phone.readiness, phone.advice]).rstrip())
    if not found:
        click.echo(finder.why_none(), err=True)
    finder.close()
    if not any(phone.readiness is Readiness.READY for phone in found):
        raise click.exceptions.Exit(1)


def _run_one(
    settings: Settings, address: str, *, device_class: str | None, key: Path, metrics: MetricsAddress | None
) -> None:
    from cli.broker_wait import wait_for_broker
    from cli.metrics.serving import serve_metrics
    from device_agents.link.address import TableAddress, parse_address
    from device_agents.service import run  # needs the extra `agent`
    from device_agents.table_service import run as run_table

    place = parse_address(address)
    with serve_metrics(metrics, Process.AGENT) as meter:
        if isinstance(place, TableAddress):
            wait_for_broker(settings.broker_url)
            run_table(settings, device=place.device, meter=meter)
            return
        run(
            settings,
            address=address,
            key=key.expanduser(),
            device=device_class,
            meter=meter,
            wait_for_broker=lambda: wait_for_broker(settings.broker_url),
        )


def server_environment(text: str | None) -> dict[str, str]:
    """What tells this process and its children which adb server to use. A usage error for what is no HOST:PORT."""
    from device_agents.link.server_place import ServerPlace

    try:
        place = ServerPlace.parse(text) if text else ServerPlace.of_environment()
    except ConfigError as error:
        raise click.BadParameter(str(error), param_hint="'--adb-server'") from error
    return place.environment()


def check_address(text: str) -> None:
    """A usage error where it cannot be an address at all."""
    from device_agents.link.address import FORMS, parse_address

    try:
        parse_address(text)
    except ConfigError as error:
        forms = FORMS.replace("host:port", "HOST:PORT")
        raise click.BadParameter(f"{text!r} is not {forms}", param_hint="'--connect'") from error


def check_device_class(text: str) -> None:
    """A usage error where no experiment file could name it."""
    from paretofarm.objective import DEVICE_CLASS_LENGTH, DEVICE_CLASS_PATTERN

    if not re.search(DEVICE_CLASS_PATTERN, text) or len(text) > DEVICE_CLASS_LENGTH:
        raise click.BadParameter(
            f"{text!r}: letters, digits, _ . and - only, at most {DEVICE_CLASS_LENGTH}", param_hint="'--device-class'"
        )
