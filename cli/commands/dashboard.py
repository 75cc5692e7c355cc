"""`paretofarm dashboard`: the web page and the HTTP API as a process."""

import os

import click

from cli.logs import log_to_stderr


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    envvar="PARETOFARM_DASHBOARD_PORT",
    show_envvar=True,
    help="0: any that is free.",
)
@click.option("--no-auth", is_flag=True, help="Let everybody on this machine do everything; for loopback only.")
@click.option(
    "--allow-host",
    "names",
    multiple=True,
    metavar="NAME",
    envvar="PARETOFARM_DASHBOARD_HOSTS",
    show_envvar=True,
    help="A name that the page is reached by, besides its address: behind a proxy. May be given several times.",
)
@click.option("--no-data-check", is_flag=True, help="Data sets are on the workers' hosts, not on this one.")
@click.option("-v", "--verbose", is_flag=True, help="Log every step.")
def dashboard(host: str, port: int, no_auth: bool, names: tuple[str, ...], no_data_check: bool, verbose: bool) -> None:
    """Serve the web page and the HTTP API; Ctrl-C stops it.

    Everybody needs a token (`paretofarm token create NAME`): programs send it, browsers log in with it. Only /healthz
    and /metrics answer without. On another address than this machine's own put a proxy in front that speaks TLS, and
    name it with --allow-host.

    \b
    Examples:
      paretofarm dashboard
      paretofarm dashboard --no-auth
      paretofarm dashboard --host 0.0.0.0 --allow-host farm.example.org
    """
    from cli.dashboard_server import Listening, run_dashboard  # needs the extra `dashboard`

    log_to_stderr(verbose=verbose)
    run_dashboard(os.environ, Listening(host, port, open=no_auth, names=names), check_data=not no_data_check)
