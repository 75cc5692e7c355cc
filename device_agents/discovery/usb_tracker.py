"""Looks at USB from time to time."""

import logging
import time

from device_agents.link.usb_bus import AdbInterface, UsbBus
from device_agents.link.usb_choice import phones
from paretofarm.errors import PhoneOffline

log = logging.getLogger(__name__)

EVERY_S = 2.0


class UsbTracker:
    """Nothing is opened: what an adb server or another agent holds is seen too."""

    def __init__(self, bus: UsbBus) -> None:
        self.problem: str | None = None
        """Why USB cannot be looked at, if so."""
        self._bus = bus
        self._phones: list[AdbInterface] = []
        self._next_look = 0.0

    def poll(self) -> list[AdbInterface]:
        """The phones that are plugged in, at most `EVERY_S` ago."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + EVERY_S
            self._look()
        return self._phones

    def _look(self) -> None:
        try:
            self._phones, self.problem = phones(self._bus.devices()), None
        except PhoneOffline as error:
            if self.problem is None:
                log.info("phones on USB are found by an adb server only: %s", error)
            self._phones, self.problem = [], str(error)
