"""Follows the phones of one adb server: it says by itself when one comes or goes."""

import logging
import time
from contextlib import suppress

from device_agents.discovery.found import Readiness
from device_agents.discovery.server_list import ServerDevice, parse_devices
from device_agents.link.deadline import Deadline, DeadlineExceeded
from device_agents.link.server_connection import ServerConnection, ServerRefused
from device_agents.link.server_place import ServerPlace

log = logging.getLogger(__name__)

RETRY_S = 2.0
ANSWER_S = 1.0
LOOK_FOR_LOST_S = 5.0
PASSING_S = 0.5
"""A phone that is disconnected on purpose is offline for a moment, too."""
FAILURES = (OSError, DeadlineExceeded, ServerRefused)


class ServerTracker:
    """Asks nothing of phones, and never starts a server. Not for several threads.

    A TCP phone that the server has lost (it was offline for a while before it was gone) is connected again; one that
    somebody has disconnected is not.
    """

    def __init__(self, place: ServerPlace) -> None:
        self.place = place
        self._deadline = Deadline()
        self._connection: ServerConnection | None = None
        self._devices: tuple[ServerDevice, ...] = ()
        self._offline_since: dict[str, float] = {}
        self._lost: set[str] = set()
        self._next_try = 0.0
        self._next_look = 0.0

    @property
    def connected(self) -> bool:
        """Whether a server answers."""
        return self._connection is not None

    def poll(self) -> tuple[ServerDevice, ...]:
        """The phones of now; none where no server answers. Takes a moment only."""
        try:
            self._follow()
            self._look_for_lost()
        except FAILURES as error:
            if self._connection is not None:
                log.warning("the adb server at %s is gone: %s", self.place, error)
            self.close()
        return self._devices

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()
        self._devices = ()

    def _follow(self) -> None:
        now = time.monotonic()
        if self._connection is None and now >= self._next_try:
            self._next_try = now + RETRY_S
            self._connection = self._track()
            log.info("an adb server answers at %s", self.place)
        while self._connection and self._connection.has_something():
            self._deadline.limit(ANSWER_S)
            self._note(parse_devices(self._connection.read_text()))

    def _track(self) -> ServerConnection:
        self._deadline.limit(ANSWER_S)
        connection = ServerConnection(self.place, self._deadline)
        try:
            connection.request("host:track-devices-l")
            self._note(parse_devices(connection.read_text()))
        except BaseException:
            connection.close()
            raise
        return connection

    def _note(self, devices: tuple[ServerDevice, ...]) -> None:
        now = time.monotonic()
        names = {device.serial for device in devices}
        gone = {device.serial for device in self._devices if device.is_tcp} - names
        long_offline = {serial for serial, since in self._offline_since.items() if now - since >= PASSING_S}
        self._lost = (self._lost | (gone & long_offline)) - names
        offline = {device.serial for device in devices if device.readiness is Readiness.OFFLINE}
        self._offline_since = {serial: self._offline_since.get(serial, now) for serial in offline}
        self._devices = devices

    def _look_for_lost(self) -> None:
        now = time.monotonic()
        if not self._lost or self._connection is None or now < self._next_look:
            return
        self._next_look = now + LOOK_FOR_LOST_S
        for serial in sorted(self._lost):
            self._deadline.limit(ANSWER_S)
            with suppress(DeadlineExceeded), ServerConnection(self.place, self._deadline) as connection:
                connection.request(f"host:connect:{serial}")
                log.debug("%s", connection.read_text())
