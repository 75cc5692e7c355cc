"""Under what conditions a phone is: heat, battery, power saving. Parsing is pure; `observe` asks the phone."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from device_agents.link.shell import parse_free_bytes
from paretofarm.errors import PhoneOffline, PhoneOverheated, PhoneStorageFull, PhoneUnauthorized, Unavailable
from paretofarm.phone_health import Fault, PhoneState
from paretofarm.ports import DeviceLink

CURRENT_SECTION = "Current temperatures from HAL:"
ASK_TIMEOUT_S = 15
QUESTIONS = {
    "battery": "dumpsys battery",
    "thermal": "dumpsys thermalservice",
    "booted": "getprop sys.boot_completed",
    "saver": "settings get global low_power",
}
ZONES = 'for z in /sys/class/thermal/thermal_zone*; do echo "$(cat "$z/type") $(cat "$z/temp")"; done 2>/dev/null; true'
_ANSWER = re.compile(r"^=== (\w+)\n(.*?)(?=^=== |\Z)", re.MULTILINE | re.DOTALL)
_ZONE_RANGE = (-40.0, 200.0)
"""°C; zones that say anything else are counters or broken."""


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
    """What a phone must keep to be measured. Temperatures in °C, of any sensor whose name says skin, or CPU."""

    thermal_status: int = 0
    battery_temperature: float = 42.0
    skin_temperature: float = 43.0
    cpu_temperature: float = 80.0
    battery_level: int = 30
    free_bytes: int = 200 * 2**20
    busy_share: float = 0.5
    """Of all processors, by others, while nothing of ours runs."""


def observe(link: DeviceLink, folder: str) -> Conditions:
    """Asks the phone, in one call, as a measurement does after each block. `folder`: where networks will be pushed."""
    questions = {**QUESTIONS, "space": f"df -k {shlex.quote(folder)}"}
    script = "; ".join(f"echo '=== {name}'; {command} 2>/dev/null" for name, command in questions.items())
    answers = parse_answers(_ask(link, "sh", "-c", script))
    battery = parse_battery(answers.get("battery", ""))
    thermal = answers.get("thermal", "")
    free = parse_free_bytes(answers.get("space", ""))
    if free is None:
        raise PhoneOffline(f"{link.serial}: {folder} has no file system")
    return Conditions(
        booted=answers.get("booted", "").strip() == "1",
        thermal_status=parse_thermal_status(thermal),
        temperatures=parse_temperatures(thermal) or parse_zones(_ask(link, "sh", "-c", ZONES)),
        battery_level=_integer(battery.get("level")),
        battery_temperature=_tenths(battery.get("temperature")),
        powered=parse_powered(battery),
        power_saver=answers.get("saver", "").strip() == "1",
        free_bytes=free,
    )


def fault(conditions: Conditions, limits: Limits) -> Fault | None:
    """Why the phone must not be measured now, or None. The most fundamental reason first."""
    if not conditions.booted:
        return Fault(PhoneState.BOOTING, "the phone is still booting")
    if conditions.free_bytes < limits.free_bytes:
        free, needed = (size // 2**20 for size in (conditions.free_bytes, limits.free_bytes))
        return Fault(PhoneState.FULL, f"only {free} MB free, {needed} MB needed")
    heat = _heat(conditions, limits)
    if heat is not None:
        return Fault(PhoneState.COOLING, heat)
    if conditions.power_saver:
        return Fault(PhoneState.UNHEALTHY, "power saver is on: switch it off")
    level = conditions.battery_level
    if level is not None and level < limits.battery_level:
        return Fault(PhoneState.LOW_BATTERY, f"the battery is at {level} %, {limits.battery_level} % needed")
    return None


def _heat(conditions: Conditions, limits: Limits) -> str | None:
    if (conditions.thermal_status or 0) > limits.thermal_status:
        return f"thermal status {conditions.thermal_status}: the phone throttles"
    if (conditions.battery_temperature or 0.0) > limits.battery_temperature:
        return f"the battery is at {conditions.battery_temperature:g} °C, limit {limits.battery_temperature:g} °C"
    for name, celsius in conditions.temperatures.items():
        limit = _sensor_limit(name, limits)
        if limit is not None and celsius > limit:
            return f"sensor {name} is at {celsius:g} °C, limit {limit:g} °C"
    return None


def _sensor_limit(name: str, limits: Limits) -> float | None:
    if "skin" in name.lower():
        return limits.skin_temperature
    return limits.cpu_temperature if name.lower().startswith("cpu") else None


ERRORS: Mapping[PhoneState, type[Unavailable]] = {
    PhoneState.FULL: PhoneStorageFull,
    PhoneState.COOLING: PhoneOverheated,
    PhoneState.UNAUTHORIZED: PhoneUnauthorized,
}


def as_error(state: PhoneState, reason: str) -> Unavailable:
    """What work on a phone in that state ends with."""
    return ERRORS.get(state, PhoneOffline)(reason)


def obstacle(conditions: Conditions, limits: Limits) -> Unavailable | None:
    """The same as `fault`, as the error that a measurement would end with."""
    found = fault(conditions, limits)
    return None if found is None else as_error(found.state, found.reason)


def disturbance(before: Conditions, after: Conditions) -> str | None:
    """What happened between two observations that makes a block worthless."""
    if after.thermal_status != before.thermal_status:
        return f"thermal status went from {before.thermal_status} to {after.thermal_status}"
    if after.powered != before.powered:
        return "the power source changed"
    return None


def parse_answers(text: str) -> dict[str, str]:
    """Sections of output by the name in the line `=== NAME` above each."""
    return dict(_ANSWER.findall(text.replace("\r\n", "\n")))


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


def parse_zones(text: str) -> dict[str, float]:
    """Name → °C from lines `TYPE MILLIDEGREES` of /sys/class/thermal: for phones whose dumpsys names no sensors.

    Some zones count whole degrees. What a phone denies leaves a line without a number.
    """
    found = re.findall(r"^(\S+) (-?\d+)$", text, re.MULTILINE)
    celsius = {name: int(value) / 1000 if abs(int(value)) >= 1000 else float(value) for name, value in found}
    low, high = _ZONE_RANGE
    return {name: value for name, value in celsius.items() if low < value < high}


def _ask(link: DeviceLink, *argv: str) -> str:
    """Output of a command; what a phone does not offer reads as empty."""
    return link.run(argv, timeout_s=ASK_TIMEOUT_S).stdout


def _integer(text: str | None) -> int | None:
    return int(text) if text and text.lstrip("-").isdigit() else None


def _tenths(text: str | None) -> float | None:
    value = _integer(text)
    return None if value is None else value / 10
