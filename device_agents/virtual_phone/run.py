"""A virtual phone as a process of its own: what `paretofarm phone` runs."""

import ctypes
import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from device_agents.virtual_phone.phone import LOOPBACK, VirtualPhone
from device_agents.virtual_phone.processes import adopt_orphans
from paretofarm.errors import ConfigError, ServiceError

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_phone(
    *,
    root: Path,
    serial: str,
    port: int = 0,
    host: str = LOOPBACK,
    require_auth_keys: Sequence[Path] | None = None,
    boot_s: float = 1.0,
    ready: Callable[[int], None] | None = None,
    ready_fd: int | None = None,
    die_with_parent: bool = False,
) -> None:
    """Runs a phone until SIGTERM or SIGINT; must be called in the main thread.

    Once clients can connect, `ready` is called with the port, and the port is written as a line to `ready_fd`,
    which is then closed. With `require_auth_keys` (files of public keys) all other clients are refused. Raises
    `ServiceError` where the port is taken, `ConfigError` where a key file cannot be read, or where a `host` other than
    the loopback interface would let anybody in: the phone's shell is a shell on this machine.
    """
    if host != LOOPBACK and not require_auth_keys:
        raise ConfigError(f"a virtual phone on {host} must ask for keys: --require-auth")
    if die_with_parent:
        _die_with_parent()
    stop = threading.Event()
    previous = {number: signal.signal(number, lambda *_: stop.set()) for number in STOP_SIGNALS}
    try:
        adopt_orphans()
        phone = VirtualPhone(
            root, serial=serial, port=port, host=host, authorized_keys=require_auth_keys, boot_s=boot_s
        )
        try:
            phone.start()
        except OSError as error:
            raise ServiceError(f"the virtual phone cannot start on port {port}: {error}") from error
        try:
            _announce(phone.port, ready, ready_fd)
            stop.wait()
            log.info("phone %s stops", serial)
        finally:
            phone.stop()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _announce(port: int, ready: Callable[[int], None] | None, ready_fd: int | None) -> None:
    if ready is not None:
        ready(port)
    if ready_fd is not None:
        os.write(ready_fd, f"{port}\n".encode())
        os.close(ready_fd)


def _die_with_parent() -> None:
    """SIGTERM when the parent dies, however it dies: the phone then still stops its own processes. Linux only."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        log.warning("cannot follow the parent's death: %s", os.strerror(ctypes.get_errno()))
