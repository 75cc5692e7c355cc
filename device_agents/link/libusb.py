"""USB through libusb-1.0. Everything that touches the library is here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import usb1

from device_agents.link.address import PortPath
from device_agents.link.server_reasons import missing_rule
from device_agents.link.usb_bus import AdbInterface, UsbDevice, UsbEndpoint, UsbSetting
from paretofarm.errors import PhoneOffline

SYSFS = Path("/sys/bus/usb/devices")
NO_LIBRARY = "USB needs libusb-1.0, which is not installed: apt-get install libusb-1.0-0"
HELD = (
    "another program holds its USB interface, most likely an adb server: end that one (`adb kill-server`), or reach "
    "the phone through it (--connect server:SERIAL)"
)


class LibusbBus:
    """See `device_agents.link.usb_bus.UsbBus`. Each call looks anew: a context keeps a stale list in containers
    (libusb #559).

    open_context: libusb's, or what tests put in its place. sysfs: tells serial numbers without any permission.
    """

    def __init__(self, open_context: Callable[[], Any] = usb1.USBContext, sysfs: Path = SYSFS) -> None:
        self._open_context = open_context
        self._sysfs = sysfs

    def devices(self) -> list[UsbDevice]:
        with _errors_translated("USB"), _context(self._open_context) as context:
            return [self._describe(device) for device in context.getDeviceIterator(skip_on_error=True)]

    def open(self, interface: AdbInterface) -> "LibusbPipe":
        name = f"the phone at usb:{interface.place}"
        with _errors_translated(name, vendor=interface.vendor):
            context = _opened(self._open_context)
            try:
                return LibusbPipe(context, _claimed(context, interface), interface)
            except BaseException:
                context.close()
                raise

    def _describe(self, device: Any) -> UsbDevice:
        place = _place(device)
        return UsbDevice(
            place=place,
            vendor=device.getVendorID(),
            product=device.getProductID(),
            serial=self._serial(device, place),
            settings=tuple(_setting(setting) for setting in device.iterSettings()),
        )

    def _serial(self, device: Any, place: PortPath) -> str | None:
        with suppress(OSError, UnicodeDecodeError):
            return (self._sysfs / str(place) / "serial").read_text(encoding="utf-8").strip() or None
        with suppress(usb1.USBError):
            serial = device.getSerialNumber()
            return str(serial) if serial else None
        return None


class LibusbPipe:
    """See `device_agents.link.usb_bus.UsbPipe`."""

    def __init__(self, context: Any, handle: Any, interface: AdbInterface) -> None:
        self._context = context
        self._handle = handle
        self._interface = interface

    def read(self, size: int, timeout_s: float) -> bytes:
        with _lost_is_os_error():
            try:
                return bytes(self._handle.bulkRead(self._interface.input, size, _milliseconds(timeout_s)))
            except usb1.USBErrorTimeout as error:
                return bytes(error.received)

    def write(self, data: bytes, timeout_s: float) -> int:
        with _lost_is_os_error():
            try:
                return int(self._handle.bulkWrite(self._interface.output, data, _milliseconds(timeout_s)))
            except usb1.USBErrorTimeout as error:
                return int(error.transferred)

    def close(self) -> None:
        with suppress(usb1.USBError):  # a phone that was pulled out
            self._handle.releaseInterface(self._interface.number)
        self._handle.close()
        self._context.close()


def _claimed(context: Any, interface: AdbInterface) -> Any:
    for device in context.getDeviceIterator(skip_on_error=True):
        if _place(device) == interface.place:
            handle = device.open()
            try:
                handle.claimInterface(interface.number)
            except usb1.USBError:
                handle.close()
                raise
            return handle
    raise PhoneOffline(f"the phone at usb:{interface.place} was unplugged")


def _place(device: Any) -> PortPath:
    return PortPath(device.getBusNumber(), tuple(device.getPortNumberList()))


def _setting(setting: Any) -> UsbSetting:
    kind = (setting.getClass(), setting.getSubClass(), setting.getProtocol())
    endpoints = tuple(
        UsbEndpoint(endpoint.getAddress(), endpoint.getAttributes(), endpoint.getMaxPacketSize())
        for endpoint in setting
    )
    return UsbSetting(setting.getNumber(), kind, endpoints)


def _milliseconds(timeout_s: float) -> int:
    """At least one: to libusb, 0 is for ever."""
    return max(1, round(timeout_s * 1000))


def _opened(open_context: Callable[[], Any]) -> Any:
    try:
        return open_context().open()
    except OSError as error:
        raise PhoneOffline(NO_LIBRARY) from error


@contextmanager
def _context(open_context: Callable[[], Any]) -> Iterator[Any]:
    context = _opened(open_context)
    try:
        yield context
    finally:
        context.close()


@contextmanager
def _errors_translated(name: str, *, vendor: int = 0) -> Iterator[None]:
    try:
        yield
    except usb1.USBErrorBusy as error:
        raise PhoneOffline(f"{name}: {HELD}") from error
    except usb1.USBErrorAccess as error:
        raise PhoneOffline(f"{name}: {missing_rule(f'{vendor:04x}')}") from error
    except usb1.USBError as error:
        raise PhoneOffline(f"{name}: libusb says: {error}") from error


@contextmanager
def _lost_is_os_error() -> Iterator[None]:
    try:
        yield
    except usb1.USBError as error:
        raise ConnectionResetError(f"USB: {error}") from error
