"""Where metrics are served, and what a scrape reads."""

import socket
import threading
import urllib.request
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from cli.main import main
from cli.metrics.address import MetricsAddress, metrics_address
from cli.metrics.cached_readings import CachedReadings
from cli.metrics.serving import serve_metrics
from paretofarm import instruments
from paretofarm.errors import ConfigError
from paretofarm.instrument import Process, Reading
from paretofarm.meter import NO_METER


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def scrape(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return {
        sample.name + "".join(f",{value}" for value in sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:9464", "127.0.0.1", 9464),
        ("9464", "127.0.0.1", 9464),
        (":9464", "127.0.0.1", 9464),
        ("0.0.0.0:1", "0.0.0.0", 1),
        ("[::1]:9464", "::1", 9464),
    ],
)
def test_an_address_is_read(text: str, host: str, port: int) -> None:
    assert MetricsAddress.parse(text) == MetricsAddress(host, port)


@pytest.mark.parametrize("text", ["", "here", "127.0.0.1:", "127.0.0.1:70000", "a b:1", "127.0.0.1:-1"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is not HOST:PORT"):
        MetricsAddress.parse(text)


def test_an_address_is_written_as_it_was() -> None:
    assert [str(MetricsAddress.parse(text)) for text in ("[::1]:9464", "9464")] == ["[::1]:9464", "127.0.0.1:9464"]


def test_the_next_process_takes_the_next_port() -> None:
    assert MetricsAddress("h", 9464).next(2) == MetricsAddress("h", 9466)
    assert MetricsAddress("h", 0).next(2) == MetricsAddress("h", 0)
    with pytest.raises(ConfigError, match="end at 65535"):
        MetricsAddress("h", 65535).next(1)


def test_without_an_address_nothing_is_counted() -> None:
    assert metrics_address({}) is None
    with serve_metrics(None, Process.WORKER) as meter:
        assert meter is NO_METER


def test_what_is_counted_is_served_with_its_labels(free_port: int) -> None:
    with serve_metrics(MetricsAddress("127.0.0.1", free_port), Process.WORKER) as meter:
        meter.add(instruments.PERFORMED, stage="train", outcome="done")
        meter.add(instruments.TRAINED_IMAGES, 320)
        meter.observe(instruments.PERFORM_SECONDS, 2.0, stage="train")
        found = scrape(free_port)
    assert found["paretofarm_evaluations_performed_total,done,train"] == 1
    assert found["paretofarm_training_images_total"] == 320
    assert found["paretofarm_evaluation_duration_seconds_bucket,5.0,train"] == 1
    assert found["paretofarm_heartbeat_failures_total"] == 0


def test_every_instrument_of_every_process_can_be_counted_with() -> None:
    for process in Process:
        with serve_metrics(MetricsAddress("127.0.0.1", 0), process) as meter:
            for instrument in instruments.instruments_of(process):
                if not instrument.read:
                    tell = meter.observe if instrument.buckets else meter.add
                    tell(instrument, 1.0, **{label: "x" for label in instrument.labels})


def test_the_port_is_free_again_afterwards(free_port: int) -> None:
    for _ in range(2):
        with serve_metrics(MetricsAddress("127.0.0.1", free_port), Process.SCHEDULER):
            assert "paretofarm_scheduler_leading" in scrape(free_port)


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ConfigError, match=f"no metrics on 127.0.0.1:{port}: Address already in use"),
            serve_metrics(MetricsAddress("127.0.0.1", port), Process.WORKER),
        ):
            pass


@pytest.mark.parametrize("command", [["scheduler"], ["worker"], ["agent", "--connect", "127.0.0.1:1"], ["exporter"]])
def test_a_wrong_address_is_the_users_mistake(command: list[str]) -> None:
    result = CliRunner(env={"PARETOFARM_METRICS": "nowhere"}).invoke(main, command)
    assert result.exit_code == 2
    assert "'nowhere' is not HOST:PORT" in result.output


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.cost = 0.0
        self.readings = 0

    def read(self) -> Iterator[Reading]:
        self.readings += 1
        self.now += self.cost
        yield Reading(instruments.DATABASE_UP, self.readings)

    def __call__(self) -> float:
        return self.now


def test_readings_are_kept_for_a_while() -> None:
    clock = Clock()
    cached = CachedReadings(clock.read, keep_s=5.0, now=clock)
    assert [reading.value for _ in range(3) for reading in cached.readings()] == [1, 1, 1]
    clock.now += 5.0
    assert [reading.value for reading in cached.readings()] == [2]


def test_slow_readings_are_kept_longer() -> None:
    clock = Clock()
    clock.cost = 4.0
    cached = CachedReadings(clock.read, keep_s=5.0, share=0.1, now=clock)
    cached.readings()
    clock.now += 39.0
    assert [reading.value for reading in cached.readings()] == [1]
    clock.now += 1.0
    assert [reading.value for reading in cached.readings()] == [2]


def test_scrapes_that_come_together_share_one_reading() -> None:
    clock = Clock()
    cached = CachedReadings(clock.read, keep_s=5.0, now=clock)
    threads = [threading.Thread(target=cached.readings) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.readings == 1
