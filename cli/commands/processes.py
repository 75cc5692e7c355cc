"""`paretofarm scheduler` and `worker`: processes that run until SIGTERM or Ctrl-C."""

import os

import click

from cli.connection import service_settings
from cli.logs import log_to_stderr
from cli.metrics.address import MetricsAddress
from cli.metrics.option import metrics_option
from paretofarm.instrument import Process
from paretofarm.messaging import WORKER_STAGES

GPU_KEEP_S = 5.0
WORKER_QUEUES = tuple(stage.value for stage in WORKER_STAGES)


@click.command()
@metrics_option()
@click.option("-v", "--verbose", is_flag=True, help="Log every step.")
def scheduler(metrics: MetricsAddress | None, verbose: bool) -> None:
    """Run the process that plans.

    It proposes candidates, queues their evaluations and sends messages to workers and agents. One is needed; of
    several on one database, one works and the others wait to take over. Whatever it did is in the database: it may be
    killed and started again at any time.

    \b
    Servers: PARETOFARM_DATABASE_URL and PARETOFARM_BROKER_URL,
    else the stack that `paretofarm up` runs on this machine.
    """
    from cli.broker_wait import refuse_wrong_password
    from cli.metrics.serving import serve_metrics
    from scheduler.service import run

    log_to_stderr(verbose=verbose)
    settings = service_settings(os.environ, "scheduler")
    with serve_metrics(metrics, Process.SCHEDULER) as meter:
        refuse_wrong_password(settings.broker_url)
        run(settings, meter=meter)


@click.command()
@click.option(
    "--queues",
    default=",".join(WORKER_QUEUES),
    show_default=True,
    metavar="NAMES",
    help="What to work on: any of build, compile, train, separated by commas.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1024),
    default=None,
    metavar="N",
    help="Evaluations at a time. Each training has one thread and, if any, one GPU, which it shares as long as all fit "
    "into its memory.  [default: four for each GPU where it trains, at most one a processor; without GPUs one a "
    "processor]",
)
@click.option("--name", default="worker", show_default=True, help="Name in the database, before @HOST-PROCESS.")
@metrics_option()
@click.option("-v", "--verbose", is_flag=True, help="Log every step.")
def worker(queues: str, concurrency: int | None, name: str, metrics: MetricsAddress | None, verbose: bool) -> None:
    """Run a process that builds, compiles and trains networks.

    \b
    Examples:
      paretofarm worker --concurrency 4
      paretofarm worker --queues train                     on a host with GPUs
      paretofarm worker --queues build,compile             on a host without
    """
    names = _queue_names(queues)
    from cli.broker_wait import wait_for_broker
    from cli.metrics.cached_readings import CachedReadings
    from cli.metrics.serving import serve_metrics
    from workers.gpu import read_gpus
    from workers.service import run  # needs the extra `worker`

    log_to_stderr(verbose=verbose)
    settings = service_settings(os.environ, "worker")
    with serve_metrics(metrics, Process.WORKER, [CachedReadings(read_gpus, keep_s=GPU_KEEP_S)]) as meter:
        wait_for_broker(settings.broker_url)
        run(settings, concurrency=concurrency, queues=names, name=name, meter=meter)


def _queue_names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in WORKER_QUEUES]
    if unknown or not names:
        raise click.BadParameter(
            f"{', '.join(unknown) or 'nothing'}: choose from {', '.join(WORKER_QUEUES)}", param_hint="'--queues'"
        )
    return names
