"""How an agent looks after its phone, from the environment. docs/phones.md ("Health") lists the variables."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from paretofarm.errors import ConfigError
from paretofarm.phone_health import HealthRules, Recovery
from paretofarm.reference_band import MIN_SHARE

SETTLE = "PARETOFARM_PHONE_SETTLE_SECONDS"
BOOT_LIMIT = "PARETOFARM_PHONE_BOOT_SECONDS"
RETRY = "PARETOFARM_PHONE_RETRY_SECONDS"
CHECK = "PARETOFARM_PHONE_CHECK_SECONDS"
BAND = "PARETOFARM_PHONE_BAND"
BLOCK_TIMEOUT = "PARETOFARM_BLOCK_TIMEOUT_SECONDS"
POWER_CYCLE = "PARETOFARM_PHONE_POWER_CYCLE"
SUPERVISED = "PARETOFARM_AGENT_SUPERVISED"
"""Set by whoever starts an agent anew when it ends: only then may it end itself for its phone's sake."""


@dataclass(frozen=True)
class PhoneSettings:
    """rules: of the state machine; band: the least share by which the reference may differ from its usual time;
    power_cycle: words of a command that switches the phone's USB port off and on, none where nobody can.
    """

    rules: HealthRules = field(default_factory=HealthRules)
    band: float = MIN_SHARE
    power_cycle: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "PhoneSettings":
        """ConfigError naming the variable that cannot be used."""
        usual = HealthRules()
        power_cycle = _words(environment, POWER_CYCLE)
        rules = HealthRules(
            settle_s=positive(environment, SETTLE, usual.settle_s),
            boot_limit_s=positive(environment, BOOT_LIMIT, usual.boot_limit_s),
            retry_s=positive(environment, RETRY, usual.retry_s),
            check_every_s=positive(environment, CHECK, usual.check_every_s),
            ladder=_ladder(supervised=bool(environment.get(SUPERVISED)), power_cycle=bool(power_cycle)),
        )
        return cls(rules, positive(environment, BAND, MIN_SHARE), power_cycle)

    def power_cycle_argv(self, *, serial: str, address: str) -> list[str]:
        """The command for one phone; it names the phone by `{serial}` or `{address}`."""
        return [word.replace("{serial}", serial).replace("{address}", address) for word in self.power_cycle]


def _ladder(*, supervised: bool, power_cycle: bool) -> tuple[Recovery, ...]:
    left_out = set[Recovery]() if supervised else {Recovery.NEW_PROCESS}
    left_out |= set[Recovery]() if power_cycle else {Recovery.POWER_CYCLE}
    return tuple(step for step in Recovery if step not in left_out)


def positive(environment: Mapping[str, str], name: str, default: float) -> float:
    """A positive number from the environment. ConfigError naming the variable that is none."""
    text = environment.get(name)
    try:
        value = default if not text else float(text)
    except ValueError as error:
        raise ConfigError(f"{name} is {text!r}, not a number") from error
    if not 0 < value < float("inf"):
        raise ConfigError(f"{name} is {text}, must be more than 0")
    return value


def _words(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    text = environment.get(name, "")
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ConfigError(f"{name} is {text!r}: {error}") from error
