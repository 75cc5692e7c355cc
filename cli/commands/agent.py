"""`paretofarm agent`: a process that measures on phones."""

import os
import re
from pathlib import Path

import click

from cli.connection import process_settings
from cli.logs import log_to_stderr
from cli.metrics.address import MetricsAddress
from cli.metrics.option import metrics_option
from paretofarm.instrument import Process

AGENT_KEY = Path("~/.paretofarm/adbkey")


@click.command()
@click.option(
    "--connect",
    "addresses",
    multiple=True,
    required=True,
    metavar="HOST:PORT",
    help="Where the phone's adbd listens (`adb tcpip 5555`); may be repeated: one process per phone is started.",
)
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
    addresses: tuple[str, ...], device_class: str | None, key: Path, metrics: MetricsAddress | None, verbose: bool
) -> None:
    """Run a process that measures networks on a phone.

    It registers the phone under its device class, waits until it is healthy and cool, claims measurements for that
    class and reports raw samples, summary and conditions. A phone that goes away is waited for. Of several phones, each
    agent's metrics take the next port.

    \b
    Examples:
      paretofarm agent --connect 192.168.1.20:5555 --device-class pixel-8
      paretofarm agent --connect 127.0.0.1:5561              a virtual phone
    """
    for address in addresses:
        check_address(address)
    if device_class is not None:
        check_device_class(device_class)
    log_to_stderr(verbose=verbose)
    settings = process_settings(os.environ)
    if len(addresses) > 1:
        from cli.agents import run_agents

        run_agents(addresses, settings, key=key, device_class=device_class, metrics=metrics, verbose=verbose)
        return
    from cli.broker_wait import wait_for_broker
    from cli.metrics.serving import serve_metrics
    from device_agents.service import run  # needs the extra `agent`

    with serve_metrics(metrics, Process.AGENT) as meter:
        run(
            settings,
            address=addresses[0],
            key=key.expanduser(),
            device=device_class,
            meter=meter,
            wait_for_broker=lambda: wait_for_broker(settings.broker_url),
        )


def check_address(text: str) -> None:
    """A usage error where it cannot be an address at all."""
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise click.BadParameter(f"{text!r} is not HOST:PORT", param_hint="'--connect'")


def check_device_class(text: str) -> None:
    """A usage error where no experiment file could name it."""
    from paretofarm.objective import DEVICE_CLASS_LENGTH, DEVICE_CLASS_PATTERN

    if not re.search(DEVICE_CLASS_PATTERN, text) or len(text) > DEVICE_CLASS_LENGTH:
        raise click.BadParameter(
            f"{text!r}: letters, digits, _ . and - only, at most {DEVICE_CLASS_LENGTH}", param_hint="'--device-class'"
        )
