"""Several agents under one command: one process per phone, as phones come and go; all of them gone with this one."""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cli.kept_agent import GRACE_S, KeptAgent
from cli.metrics.address import VARIABLE, MetricsAddress
from cli.signals import end_if_asked, interruptible, undisturbed
from cli.stack.identity import launch_command
from cli.stack_processes import PROGRAM
from device_agents.discovery.found import FoundPhone, Readiness
from paretofarm.errors import ConfigError
from paretofarm.phone_settings import SUPERVISED
from paretofarm.settings import Settings

log = logging.getLogger(__name__)

POLL_S = 0.1
ABSENCE_S = 3.0
"""A phone that is back sooner keeps its agent, which connects anew by itself."""


class PhoneFinder(Protocol):
    """See `device_agents.discovery.finder.Finder`."""

    def look(self) -> tuple[FoundPhone, ...]: ...

    def why_none(self) -> str: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class AgentOptions:
    """What all agents are told. metrics: of the first; each takes the next free port after it."""

    settings: Settings
    key: Path
    device_class: str | None = None
    metrics: MetricsAddress | None = None
    verbose: bool = False

    def start(self, address: str, place: int) -> "subprocess.Popen[bytes]":
        """Starts the agent of one phone, the `place`-th. Where we are killed it is told to end: it hands back its
        work.
        """
        argv = [*PROGRAM, "agent", "--connect", address, "--key", str(self.key)]
        argv += ["--device-class", self.device_class] if self.device_class else []
        argv += ["--verbose"] if self.verbose else []
        told = {VARIABLE: str(self.metrics.next(place)) if self.metrics else "", SUPERVISED: "1"}
        return subprocess.Popen(
            launch_command(argv, death_signal=signal.SIGTERM),
            env={**os.environ, **self.settings.environment(), **told},
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us, who then tell them in order
        )


@dataclass
class AgentGroup:
    """The agents of all phones. addresses: those that are there whatever is found; start: of an address, at a place."""

    addresses: Sequence[str]
    start: Callable[[str, int], "subprocess.Popen[bytes]"]
    absence_s: float = ABSENCE_S
    agents: dict[str, KeptAgent] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict)
    _seen: dict[str, float] = field(default_factory=dict)

    def tick(self, found: Sequence[FoundPhone], now: float) -> None:
        """Starts and ends agents as phones have come and gone. ConfigError once one of `addresses` cannot be used."""
        for address in self.addresses:
            self._agent(address, address).keep(now)
            if self.agents[address].given_up:
                raise ConfigError(f"the agent of {address} ended with an error that only you can mend: see above")
        present = {phone.address: phone for phone in found}
        for address, phone in present.items():
            self._seen[address] = now
            if address in self.agents or phone.readiness is Readiness.READY:
                self._keep(phone, now)
        for address in set(self.agents) - set(present) - set(self.addresses):
            self._miss(self.agents[address], found, now)

    def stop(self) -> None:
        """Ends all of them, side by side."""
        now = time.monotonic()
        running = [agent for agent in self.agents.values() if agent.runs]
        for agent in running:
            agent.end(now)
        for agent in running:
            agent.wait(max(0.0, now + GRACE_S - time.monotonic()))

    def _keep(self, phone: FoundPhone, now: float) -> None:
        """Never two agents on one phone: another address of the same serial number may still be on it."""
        rivals = [agent for agent in self.agents.values() if agent.serial == phone.serial]
        if not any(agent.runs and agent.address not in self._present(now) for agent in rivals):
            self._agent(phone.address, phone.serial).keep(now)

    def _miss(self, agent: KeptAgent, found: Sequence[FoundPhone], now: float) -> None:
        moved = any(phone.serial == agent.serial for phone in found)
        if moved or now - self._seen[agent.address] >= self.absence_s:
            agent.dismiss(now)
            if not agent.runs:
                del self.agents[agent.address]
                self._places.pop(agent.address)
        else:
            agent.keep(now)

    def _present(self, now: float) -> set[str]:
        return {address for address, seen in self._seen.items() if seen == now}

    def _agent(self, address: str, serial: str) -> KeptAgent:
        if address not in self.agents:
            taken = set(self._places.values())
            place = next(number for number in range(len(taken) + 1) if number not in taken)
            self._places[address] = place
            self.agents[address] = KeptAgent(address, serial, lambda: self.start(address, place))
        return self.agents[address]


class Notices:
    """Says once what somebody has to do for phones that cannot be used, and where there is none at all."""

    def __init__(self) -> None:
        self._said: dict[str, Readiness] = {}
        self._said_none = False

    def tell(self, found: Sequence[FoundPhone], why_none: Callable[[], str]) -> None:
        if not found and not self._said_none:
            log.warning("%s; waiting for one", why_none())
        self._said_none = not found
        for phone in found:
            if self._said.get(phone.address) is not phone.readiness:
                _tell(phone)
        self._said = {phone.address: phone.readiness for phone in found}


def _tell(phone: FoundPhone) -> None:
    if phone.readiness is Readiness.READY:
        log.info("phone %s is attached (%s)", phone.serial or "without a serial number", phone.address)
    else:
        log.warning("phone %s (%s) is %s: %s", phone.serial, phone.address, phone.readiness, phone.advice)


def run_agents(addresses: Sequence[str], options: AgentOptions, finder: PhoneFinder | None) -> None:
    """Runs until Ctrl-C or SIGTERM. addresses: phones that are there for good; finder: finds the others, if any.

    Errors: ConfigError once the agent of one of `addresses` has ended with the user's error.
    """
    group = AgentGroup(tuple(dict.fromkeys(addresses)), options.start)
    notices = Notices()
    with interruptible():
        try:
            while True:
                end_if_asked()
                found = finder.look() if finder else ()
                if finder:
                    notices.tell(found, finder.why_none)
                group.tick(found, time.monotonic())
                time.sleep(POLL_S)
        except KeyboardInterrupt:
            log.info("stopping %d agents", len(group.agents))
        finally:
            with undisturbed():
                group.stop()
                if finder:
                    finder.close()
