"""The dashboard as a process: servers and store from the environment, the application on uvicorn."""

import logging
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from types import FrameType

import uvicorn
from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest

from cli.artifact_store import artifact_store
from cli.code_version import code_version
from cli.connection import connected, has_own_servers, open_database, service_settings
from cli.metrics.prometheus_meter import PrometheusMeter
from cli.searches import check_inputs
from cli.signals import interruptible
from dashboard.app import create_app
from dashboard.auth.entrance import Entrance, is_loopback
from dashboard.feed import Feed
from dashboard.services import Services
from db.experiment_text import ExperimentFile
from db.session import Database
from paretofarm import instruments
from paretofarm.errors import ConfigError
from paretofarm.instrument import Process
from paretofarm.settings import BROKER_URL

log = logging.getLogger(__name__)

GRACE_S = 3
"""For answers under way; streams of events never end by themselves."""


@dataclass(frozen=True)
class Listening:
    """open: without tokens. names: under which it is reached, besides its address."""

    host: str
    port: int
    open: bool = False
    names: Sequence[str] = ()


def run_dashboard(environment: Mapping[str, str], listening: Listening, *, check_data: bool = True) -> None:
    """Runs until Ctrl-C or SIGTERM. Errors: ConfigError where the port cannot be had; servers are waited for."""
    entrance = Entrance(listening.host, listening.names, open=listening.open)
    with _bound(listening) as place, _database(environment) as database, interruptible():
        registry, meter = _metrics()
        services = Services(
            database,
            artifact_store(environment),
            entrance,
            code_version=code_version(),
            check_experiment=_check_inputs if check_data else _check_nothing,
            metrics=lambda: generate_latest(registry),
            meter=meter,
        )
        _announce(listening, place)
        _serve(services, place)
    log.info("dashboard stops")


class _Server(uvicorn.Server):
    """Ends the streams of events when it is told to stop: by themselves they never would."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        threading.Thread(target=self._feed.close).start()  # a signal handler must not wait for a lock
        super().handle_exit(sig, frame)


def _serve(services: Services, place: socket.socket) -> None:
    app = create_app(services)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        h11_max_incomplete_event_size=16_384,
    )
    try:
        _Server(config, app.state.feed).run(sockets=[place])
    except KeyboardInterrupt:
        return


@contextmanager
def _bound(listening: Listening) -> Iterator[socket.socket]:
    """A port is had before anything else is done."""
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    try:
        place = socket.create_server((listening.host, listening.port), family=family, backlog=512)
    except OSError as error:
        raise ConfigError(f"{listening.host}:{listening.port} cannot be had: {error.strerror or error}") from error
    with place:
        yield place


@contextmanager
def _database(environment: Mapping[str, str]) -> Iterator[Database]:
    """The user's own, waited for; else that of the stack in the data folder, running or not."""
    if not has_own_servers(environment):
        with open_database(environment) as database:
            yield database
        return
    settings = service_settings({BROKER_URL: "redis://none", **environment}, "dashboard")  # it needs no broker
    with connected(settings.database_url) as database:
        yield database


def _metrics() -> tuple[CollectorRegistry, PrometheusMeter]:
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    meter = PrometheusMeter(Process.DASHBOARD, registry)
    meter.set(instruments.BUILD_INFO, 1.0, version=metadata.version("paretofarm"))
    return registry, meter


def _announce(listening: Listening, place: socket.socket) -> None:
    host = f"[{listening.host}]" if ":" in listening.host else listening.host
    how = (
        "open to everybody on this machine" if listening.open else "log in with a token: `paretofarm token create NAME`"
    )
    log.info("dashboard on http://%s:%s, %s", host, place.getsockname()[1], how)
    if not is_loopback(listening.host):
        log.warning("nothing is encrypted: put a proxy in front that speaks TLS, where others could listen")


def _check_inputs(file: ExperimentFile) -> None:
    check_inputs(file.experiment)


def _check_nothing(file: ExperimentFile) -> None: ...
