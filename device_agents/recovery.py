"""Takes steps of the recovery ladder: `paretofarm.phone_health` decides which, the reference whether they helped."""

import logging
import subprocess
from collections.abc import Sequence

from device_agents.phone import Phone
from paretofarm.errors import ServiceError, Unavailable
from paretofarm.phone_health import Recovery

log = logging.getLogger(__name__)

POWER_CYCLE_LIMIT_S = 60.0


class NewProcessWanted(ServiceError):
    """The agent ends so that its supervisor starts it anew: its phone's connection needs another process."""


class Recoverer:
    """Of one phone. power_cycle: the words of a command, none where there is none.

    new_process: set once the agent should end.
    """

    def __init__(self, phone: Phone, *, power_cycle: Sequence[str] = ()) -> None:
        self.new_process = False
        self._phone = phone
        self._power_cycle = tuple(power_cycle)

    def take(self, step: Recovery) -> str | None:
        """Takes one step; what went wrong, or None. A step that fails is followed by the next one all the same."""
        steps = {
            Recovery.KILL: self._kill,
            Recovery.RECONNECT: self._reconnect,
            Recovery.NEW_PROCESS: self._end_this_process,
            Recovery.REBOOT: self._phone.link.reboot,
            Recovery.POWER_CYCLE: self._cycle_power,
        }
        try:
            steps[step]()
        except Unavailable as error:
            log.warning("recovery step %s: %s", step.value, error)
            return str(error)
        return None

    def _kill(self) -> None:
        self._phone.sweep()

    def _reconnect(self) -> None:
        self._phone.link.close()
        self._phone.link.connect()
        self._phone.prepare()

    def _end_this_process(self) -> None:
        self.new_process = True

    def _cycle_power(self) -> None:
        self._phone.link.close()
        argv = list(self._power_cycle)
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=POWER_CYCLE_LIMIT_S, check=False)
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable(f"{argv[0]}: {error}") from error
        if done.returncode != 0:
            raise Unavailable(f"{argv[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
