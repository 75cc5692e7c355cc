"""The producing side of the broker: sends task messages after commit, and asks how deep a queue is."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from celery import Celery
from kombu.connection import Connection
from kombu.exceptions import ChannelError, OperationalError
from kombu.transport.virtual import Channel
from redis.exceptions import RedisError

from db.dispatch import Message
from paretofarm.errors import BrokerUnavailable
from paretofarm.messaging import celery_settings


class Broker:
    """Sends messages over a connection of its own each time: none can have gone stale since the last.

    Every error of the transport is `BrokerUnavailable`, which names no password.
    """

    def __init__(self, url: str) -> None:
        self._app = Celery("paretofarm-scheduler", set_as_current=False)
        self._app.conf.update(celery_settings(url))
        parts = urlsplit(url)
        self._address = f"{parts.hostname or ''}{':' + str(parts.port) if parts.port else ''}{parts.path}"

    def send(self, messages: Iterable[Message]) -> None:
        """Sends each as a task of its stage's name on its queue."""
        with self._connection() as connection, self._app.amqp.Producer(connection) as producer:
            for message in messages:
                self._app.send_task(
                    message.stage.value,
                    args=[message.evaluation_id, message.attempt],
                    queue=message.queue,
                    producer=producer,
                    retry=False,
                )

    def drained(self, queues: Iterable[str]) -> set[str]:
        """Those of the queues in which no message waits."""
        with self._connection() as connection, connection.channel() as channel:
            return {queue for queue in queues if not _depth(channel, queue)}

    def answers(self) -> bool:
        """Whether it does, now."""
        try:
            with self._connection() as connection, connection.channel():
                return True
        except BrokerUnavailable:
            return False

    def close(self) -> None:
        self._app.close()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with self._app.connection_for_write() as connection:
                yield connection
        except (OperationalError, RedisError, OSError) as error:
            raise BrokerUnavailable(f"the broker at {self._address} does not answer: {error}") from error


def _depth(channel: Channel, queue: str) -> int:
    """Messages waiting in a queue; one that was never declared holds none."""
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except ChannelError:
        return 0
