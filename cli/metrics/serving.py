"""Serves a process's metrics over HTTP while it runs."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata

from prometheus_client import CollectorRegistry, disable_created_metrics, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from cli.metrics.address import MetricsAddress
from cli.metrics.prometheus_meter import PrometheusMeter
from paretofarm import instruments
from paretofarm.errors import ConfigError
from paretofarm.instrument import Process
from paretofarm.meter import NO_METER, Meter

log = logging.getLogger(__name__)

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def serve_metrics(
    address: MetricsAddress | None, process: Process, collectors: Sequence[Collector] = ()
) -> Iterator[Meter]:
    """The meter to count with; without an address one that counts nothing, and no port is opened.

    collectors: what is read when Prometheus asks. ConfigError where the port cannot be had.
    """
    if address is None:
        yield NO_METER
        return
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    meter = PrometheusMeter(process, registry)
    meter.set(instruments.BUILD_INFO, 1.0, version=metadata.version("paretofarm"))
    served = _shared_registry() if os.environ.get(MULTIPROCESS_FOLDER) else registry
    for collector in collectors:
        served.register(collector)
    try:
        server, thread = start_http_server(address.port, address.host, served)
    except OSError as error:
        raise ConfigError(f"no metrics on {address}: {error.strerror or error}") from error
    log.info("metrics on http://%s/metrics", MetricsAddress(address.host, server.server_port))
    try:
        yield meter
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _shared_registry() -> CollectorRegistry:
    """What all processes that share the folder have counted."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
