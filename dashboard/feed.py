"""News for everybody who listens: one thread hears of new events from Postgres and reads them once for all."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from db import events
from db.events import Event
from db.notify import CHANNEL
from db.session import Database
from paretofarm import instruments
from paretofarm.errors import DatabaseUnavailable, ParetofarmError
from paretofarm.meter import NO_METER, Meter

log = logging.getLogger(__name__)

POLL_S = 1.0
PAUSE_S = 0.1
"""Between two readings: a busy farm notifies many times a second."""
OVERLAP = 100
"""Ids that are read again: a transaction that began earlier may commit later."""
BATCH = 1000
BACKLOG = 2000
"""Events that a slow listener may be behind; then its stream ends, and it comes back for what it missed."""


@dataclass(frozen=True)
class _Subscriber:
    loop: asyncio.AbstractEventLoop
    queue: "asyncio.Queue[Event | None]"

    def put(self, event: Event | None) -> None:
        """From any thread. A loop that has ended has nobody to tell."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._put, event)

    def _put(self, event: Event | None) -> None:
        if self.queue.qsize() >= BACKLOG:
            while not self.queue.empty():
                self.queue.get_nowait()
            event = None
        self.queue.put_nowait(event)


class FeedEnded(Exception):
    """There will be no more news: the process stops, or the listener was too slow."""


class Subscription:
    """What one listener hears."""

    def __init__(self, subscriber: _Subscriber) -> None:
        self._subscriber = subscriber

    async def next(self, timeout_s: float) -> Event | None:
        """The next event. Errors: TimeoutError, FeedEnded."""
        event = await asyncio.wait_for(self._subscriber.queue.get(), timeout_s)
        if event is None:
            raise FeedEnded
        return event


class Feed:
    """Between `start` and `close` everybody who is subscribed is told of every event."""

    def __init__(self, database: Database, meter: Meter = NO_METER) -> None:
        self._database = database
        self._meter = meter
        self._lock = threading.Lock()
        self._subscribers: set[_Subscriber] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._recent: deque[int] = deque(maxlen=OVERLAP * 2)
        self._last = 0

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends all streams; may be called more than once."""
        self._stop.set()
        with self._lock:
            for subscriber in self._subscribers:
                subscriber.put(None)

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join(2 * POLL_S)

    @contextmanager
    def subscription(self) -> Iterator[Subscription]:
        """Within a coroutine: everything from here on is heard."""
        subscriber = _Subscriber(asyncio.get_running_loop(), asyncio.Queue())
        with self._lock:
            self._subscribers.add(subscriber)
            self._count()
        if self._stop.is_set():
            subscriber.put(None)
        try:
            yield Subscription(subscriber)
        finally:
            with self._lock:
                self._subscribers.discard(subscriber)
                self._count()

    def _count(self) -> None:
        self._meter.set(instruments.EVENT_STREAMS, len(self._subscribers))

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._database.listener(CHANNEL) as listener:
                    self._catch_up()
                    while not self._stop.is_set():
                        if listener.wait(POLL_S):
                            time.sleep(PAUSE_S)
                        self._tell()
            except (DatabaseUnavailable, ParetofarmError, DBAPIError) as error:
                log.warning("no news: %s", str(error).splitlines()[0])
                self._stop.wait(POLL_S)

    def _catch_up(self) -> None:
        """At the first connection only new events are news; after an outage also those that came meanwhile."""
        if self._last == 0:
            with self._database.transaction() as session:
                self._last = events.last_id(session)
                known = events.following(session, max(self._last - OVERLAP, 0), limit=OVERLAP)
            self._recent.extend(event.id for event in known)

    def _tell(self) -> None:
        with self._database.transaction() as session:
            found = events.following(session, max(self._last - OVERLAP, 0), limit=BATCH)
        known = set(self._recent)
        for event in found:
            if event.id not in known:
                self._recent.append(event.id)
                self._last = max(self._last, event.id)
                with self._lock:
                    for subscriber in self._subscribers:
                        subscriber.put(event)


async def until_end(subscription: Subscription, still_here_s: float) -> AsyncIterator[Event | None]:
    """Events as they come; None after every `still_here_s` seconds without one."""
    while True:
        try:
            yield await subscription.next(still_here_s)
        except TimeoutError:
            yield None
        except FeedEnded:
            return
