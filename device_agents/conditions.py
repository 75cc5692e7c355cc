"""Under what conditions a phone is: heat, battery, power saving. Parsing is pure; `observe` asks the phone."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from paretofarm.errors import PhoneOffline, PhoneOverheated, PhoneStorageFull, Unavailable
from paretofarm.ports import DeviceLink

CURRENT_SECTION = "Current temperatures from HAL:"
ASK_TIMEOUT_S = 15


@dataclass(frozen=True)
class Conditions:
    """What a phone says of itself; None where it does not say. Temperatures in °C, level in %."""

    booted: bool
    thermal_status: int | None
    temperatures: Mapping[str, float]
    battery_level: int | None
    battery_temperature: float | None
    powered: bool | None
    power_saver: bool
    free_bytes: int

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Limits:
    """What a phone must keep to be measured."""

    thermal_status: int = 0
    battery_temperature: float = 42.0
    battery_level: int = 30
    free_bytes: int = 200 * 2**20


def observe(link: DeviceLink, folder: str) -> Conditions:
    """Asks the phone. `folder` is where networks will be pushed."""
    battery = parse_battery(_ask(link, "dumpsys", "battery"))
    thermal = _ask(link, "dumpsys", "thermalservice")
    return Conditions(
        booted=_ask(link, "getprop", "sys.boot_completed").strip() == "1",
        thermal_status=parse_thermal_status(thermal),
        temperatures=parse_temperatures(thermal),
        battery_level=_integer(battery.get("level")),
        battery_temperature=_tenths(battery.get("temperature")),
        powered=parse_powered(battery),
        power_saver=_ask(link, "settings", "get", "global", "low_power").strip() == "1",
        free_bytes=link.free_bytes(folder),
    )


def obstacle(conditions: Conditions, limits: Limits) -> Unavailable | None:
    """Why the phone must not be measured now, or None. The most fundamental reason first."""
    if not conditions.booted:
        return PhoneOffline("the phone is still booting")
    if conditions.free_bytes < limits.free_bytes:
        return PhoneStorageFull(
            f"only {conditions.free_bytes // 2**20} MB free, {limits.free_bytes // 2**20} MB needed"
        )
    if (conditions.thermal_status or 0) > limits.thermal_status:
        return PhoneOverheated(f"thermal status {conditions.thermal_status}: the phone throttles")
    if (conditions.battery_temperature or 0.0) > limits.battery_temperature:
        return PhoneOverheated(
            f"the battery is at {conditions.battery_temperature:g} °C, limit {limits.battery_temperature:g} °C"
        )
    if conditions.power_saver:
        return PhoneOffline("power saver is on: switch it off")
    level = conditions.battery_level
    if level is not None and level < limits.battery_level:
        return PhoneOffline(f"the battery is at {level} %, {limits.battery_level} % needed")
    return None


def disturbance(before: Conditions, after: Conditions) -> str | None:
    """What happened between two observations that makes a block worthless."""
    if after.thermal_status != before.thermal_status:
        return f"thermal status went from {before.thermal_status} to {after.thermal_status}"
    if after.powered != before.powered:
        return "the power source changed"
    return None


def parse_battery(text: str) -> dict[str, str]:
    """`key: value` lines of `dumpsys battery`, keys in lower case."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {key.strip().lower(): value.strip() for key, value in pairs}


def parse_powered(battery: Mapping[str, str]) -> bool | None:
    sources = [value for key, value in battery.items() if key.endswith(" powered")]
    return any(value == "true" for value in sources) if sources else None


def parse_thermal_status(text: str) -> int | None:
    found = re.search(r"^\s*Thermal Status:\s*(\d+)", text, re.MULTILINE)
    return int(found.group(1)) if found else None


def parse_temperatures(text: str) -> dict[str, float]:
    """Name → °C from `dumpsys thermalservice`, read after the HAL heading: the cached block above it is stale."""
    _, _, current = text.partition(CURRENT_SECTION)
    found = re.findall(r"Temperature\{mValue=([-\d.]+), mType=-?\d+, mName=([^,}]+)", current)
    return {name: float(value) for value, name in found}


def _ask(link: DeviceLink, *argv: str) -> str:
    """Output of a command; what a phone does not offer reads as empty."""
    return link.run(argv, timeout_s=ASK_TIMEOUT_S).stdout


def _integer(text: str | None) -> int | None:
    return int(text) if text and text.lstrip("-").isdigit() else None


def _tenths(text: str | None) -> float | None:
    value = _integer(text)
    return None if value is None else value / 10
