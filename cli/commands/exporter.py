"""`paretofarm exporter`: a process that reads the database for Prometheus."""

import os

import click

from cli.connection import service_settings
from cli.logs import log_to_stderr
from cli.metrics.address import MetricsAddress
from cli.metrics.option import metrics_option


@click.command()
@metrics_option(default="127.0.0.1:9464")
@click.option("-v", "--verbose", is_flag=True, help="Log every step.")
def exporter(metrics: MetricsAddress, verbose: bool) -> None:
    """Run the process that tells Prometheus about queues, searches and phones.

    One is enough for a farm. It only reads: the database role `paretofarm_reader` is all it needs. What other
    processes count themselves is on their own ports (--metrics of scheduler, worker and agent).
    """
    from cli.exporter import run_exporter

    log_to_stderr(verbose=verbose)
    run_exporter(service_settings(os.environ), metrics)
