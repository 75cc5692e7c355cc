"""One phone as the agent sees it: who it is, whether it may be measured now, and what lies on it."""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from device_agents import orphans
from device_agents.conditions import Conditions, Limits, fault, observe, obstacle
from device_agents.kept_networks import SIZES_SCRIPT, parse_sizes, superfluous
from device_agents.others import ProcessorTime, look_for_others
from device_agents.phone_mark import phone_mark
from paretofarm.errors import ConfigError, PhoneOffline, PhoneStorageFull, PhoneUnauthorized, Unavailable
from paretofarm.phone_health import Fault, PhoneState
from paretofarm.ports import DeviceLink

HOME = "/data/local/tmp/paretofarm"
NETWORKS = f"{HOME}/networks"
JOBS = f"{HOME}/jobs"
COMPLETE = ".complete"
"""Put beside a network's files when all of them have arrived."""
TIMEOUT_S = 15.0
SWEEP_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Identity:
    """What a phone says of itself when it is attached."""

    serial: str
    manufacturer: str
    model: str
    soc: str
    fingerprint: str
    os: str
    sdk: str
    simulated: bool
    mark: str = ""
    """What tells it from another phone with the same serial number."""


class Phone:
    """A phone behind a link. All calls block; `Unavailable` errors say what is wrong with it.

    `on_conditions` may be set: it is told whatever the phone says of its conditions.
    """

    def __init__(self, link: DeviceLink, *, limits: Limits | None = None) -> None:
        self.link = link
        self.on_conditions: Callable[[Conditions], None] = lambda conditions: None
        self.shares_processors = False
        """Of a virtual phone: whatever else its machine does is no reason not to measure."""
        self._limits = limits or Limits()
        self._idle_since: ProcessorTime | None = None

    def identify(self) -> Identity:
        """Asks the phone who it is. To be called after `prepare`."""
        return replace(identity(self.link.properties(), self.link.serial), mark=phone_mark(self.link, HOME))

    def prepare(self) -> None:
        """Makes the folders and removes what earlier jobs left, processes first."""
        self.sweep()
        self._shell_ok("rm", "-rf", f"{JOBS}/", timeout_s=SWEEP_TIMEOUT_S)
        self._shell_ok("mkdir", "-p", NETWORKS, JOBS)

    def sweep(self) -> int:
        """Kills what earlier jobs left running; how many these were. RunnerFailed where one cannot be killed."""
        return orphans.sweep(self.link, HOME)

    def conditions(self) -> Conditions:
        conditions = observe(self.link, HOME)
        self.on_conditions(conditions)
        return conditions

    def fault(self) -> Fault | None:
        """Why the phone cannot be measured now, or None. To be asked while nothing of ours runs on it."""
        try:
            return fault(self.conditions(), self._limits) or self._others()
        except PhoneUnauthorized as error:
            return Fault(PhoneState.UNAUTHORIZED, f"{error}: accept this computer's key on the phone's screen")
        except Unavailable as error:
            return Fault(PhoneState.OFFLINE, str(error))

    def worked(self) -> None:
        """What the processors did up to now was ours."""
        self._idle_since = None

    def _others(self) -> Fault | None:
        others = look_for_others(self.link)
        if others.runners:
            return Fault(PhoneState.UNHEALTHY, f"another benchmark runs: {', '.join(others.runners)}")
        if self.shares_processors or others.processors is None:
            return None
        before, self._idle_since = self._idle_since, others.processors
        share = None if before is None else others.processors.busy_share_since(before)
        if share is not None and share > self._limits.busy_share:
            return Fault(PhoneState.UNHEALTHY, f"something else keeps {share:.0%} of the processors busy")
        return None

    def obstacle(self) -> Unavailable | None:
        """Why the phone's conditions do not allow a measurement now, or None."""
        try:
            return self.judge(self.conditions())
        except Unavailable as error:
            return error

    def judge(self, conditions: Conditions) -> Unavailable | None:
        """Why these conditions do not allow a measurement, or None."""
        return obstacle(conditions, self._limits)

    def put_network(self, files: Mapping[str, Path], sha256: str) -> str:
        """Remote folder of a network's files, pushed unless they are there: the hash of the network is its name."""
        folder = f"{NETWORKS}/{sha256}"
        if self.link.run(["test", "-f", f"{folder}/{COMPLETE}"], timeout_s=TIMEOUT_S).exit_code != 0:
            self._forget_old_networks()
            for name, local in files.items():
                self.link.push(local, f"{folder}/{name}")
            self._shell_ok("touch", f"{folder}/{COMPLETE}")
        return folder

    def job_folder(self, name: str) -> str:
        folder = f"{JOBS}/{name}"
        self._shell_ok("mkdir", "-p", folder)
        return folder

    def remove(self, folder: str) -> None:
        self._shell_ok("rm", "-rf", folder)

    def make_room(self) -> None:
        """Removes all networks: they can be pushed again."""
        self._shell_ok("rm", "-rf", f"{NETWORKS}/", timeout_s=SWEEP_TIMEOUT_S)
        self._shell_ok("mkdir", "-p", NETWORKS)

    def clock(self) -> str:
        """The phone's own time, as its log writes it."""
        return self.link.run(["date", "+%m-%d %H:%M:%S.000"], timeout_s=TIMEOUT_S).stdout.strip()

    def log_since(self, clock: str) -> str:
        """Android's log from then on; empty where the phone keeps it to itself."""
        return self.link.run(["logcat", "-d", "-T", clock], timeout_s=TIMEOUT_S).stdout

    def _forget_old_networks(self) -> None:
        listing = self.link.run(["sh", "-c", SIZES_SCRIPT.format(folder=NETWORKS)], timeout_s=SWEEP_TIMEOUT_S)
        for name in superfluous(parse_sizes(listing.stdout)):
            self._shell_ok("rm", "-rf", f"{NETWORKS}/{name}")

    def _shell_ok(self, *argv: str, timeout_s: float = TIMEOUT_S) -> None:
        result = self.link.run(argv, timeout_s=timeout_s)
        if result.exit_code != 0:
            raise _failure(f"{shlex.join(argv)} on {self.link.serial}: {result.stderr.strip() or result.exit_code}")


def _failure(message: str) -> Unavailable:
    return PhoneStorageFull(message) if "No space left" in message else PhoneOffline(message)


def identity(properties: Mapping[str, str], address: str) -> Identity:
    """From `getprop`. Serial numbers are not always unique or even there: the address helps out then."""
    serial = properties.get("ro.serialno", "").strip()
    return Identity(
        serial=serial if re.fullmatch(r"[\w.:-]+", serial) else address,
        manufacturer=properties.get("ro.product.manufacturer") or properties.get("ro.soc.manufacturer", ""),
        model=properties.get("ro.product.model", "unknown"),
        soc=properties.get("ro.soc.model") or properties.get("ro.board.platform") or "unknown",
        fingerprint=properties.get("ro.build.fingerprint", ""),
        os=properties.get("ro.build.version.release", ""),
        sdk=properties.get("ro.build.version.sdk", ""),
        simulated=properties.get("ro.paretofarm.simulated") == "1",
    )


def device_class(identity: Identity, given: str | None) -> str:
    """Name of the phone's device class: the operator's, else the SoC's (`sm8550`); virtual phones are `virtual`.

    A virtual phone may not pass for a real one: ConfigError.
    """
    if identity.simulated:
        if given not in (None, "virtual") and not given.startswith("virtual-"):
            raise ConfigError(f"{identity.serial} is a virtual phone: its device class must be virtual or virtual-…")
        return given or "virtual"
    return given or re.sub(r"[^a-z0-9_.-]+", "-", identity.soc.lower()).strip("-") or "unknown"
