"""All phones that are attached, wherever they are."""

from collections.abc import Sequence

from device_agents.discovery.found import FoundPhone
from device_agents.discovery.merging import chosen, merge
from device_agents.discovery.server_tracker import ServerTracker
from device_agents.discovery.usb_tracker import UsbTracker
from device_agents.link.server_place import ServerPlace


class Finder:
    """serials: look for these only; all where empty. Not for several threads."""

    def __init__(self, server: ServerTracker, usb: UsbTracker, serials: Sequence[str] = ()) -> None:
        self._server = server
        self._usb = usb
        self._serials = tuple(serials)

    def look(self) -> tuple[FoundPhone, ...]:
        """The phones of now. Asks nobody who would have to answer first: it may be called every tenth of a second."""
        return chosen(merge(self._usb.poll(), self._server.poll()), self._serials)

    def why_none(self) -> str:
        """What to do where nothing is found, in one line."""
        who = f" with serial number {' or '.join(self._serials)}" if self._serials else ""
        ways = [
            "plug one in and switch on USB debugging in its developer options",
            "or name one that listens with --connect HOST:PORT",
        ]
        if self._usb.problem:
            ways.append(f"({self._usb.problem})")
        if not self._server.connected:
            ways.append(f"(no adb server answers at {self._server.place})")
        return f"no phone{who} is attached: {' '.join(ways)}"

    def close(self) -> None:
        self._server.close()


def finder_of_this_machine(place: ServerPlace, serials: Sequence[str] = ()) -> Finder:
    """USB by libusb where it is installed, and the adb server at `place` where it runs."""
    from device_agents.link.libusb import LibusbBus

    return Finder(ServerTracker(place), UsbTracker(LibusbBus()), serials)
