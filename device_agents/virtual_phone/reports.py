"""What the phone's `getprop`, `dumpsys` and `settings` say, as files in its root folder.

They are written whenever the state changes and printed by shell scripts: a measurement asks for them before and
after each block, on the very cores that are measured, and starting Python for each answer takes 50 ms.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device_agents.virtual_phone.state import PhoneState

PROPERTIES_FILE = "build.prop"
REPORTS = "reports"
# What the cached block of `dumpsys thermalservice` says whatever the temperature is: on phones it is stale too.
STALE_TEMPERATURE = 26.0


def write_reports(root: Path, state: "PhoneState") -> None:
    """Writes all reports anew, each appearing whole."""
    texts = {
        "getprop": property_report(all_properties(root, state)),
        "battery": battery_report(state),
        "thermalservice": thermal_report(state),
        "low_power": f"{int(state.low_power)}\n",
        "storage": "" if state.storage_bytes is None else f"{state.storage_bytes}\n",
        "logcat": state.logcat,
        "processes": process_report(state),
        "runner": runner_report(state),
    }
    (root / REPORTS).mkdir(exist_ok=True)
    for name, text in texts.items():
        part = root / REPORTS / f".{name}.part{os.getpid()}"
        part.write_text(text)
        part.replace(root / REPORTS / name)


def all_properties(root: Path, state: "PhoneState") -> dict[str, str]:
    """Those of `build.prop`, then those that follow the state, then those that the state adds."""
    lines = (root / PROPERTIES_FILE).read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines if "=" in line)
    properties["sys.boot_completed"] = "1" if state.boot_completed else ""
    return properties | state.properties


def property_report(properties: dict[str, str]) -> str:
    return "".join(f"[{name}]: [{value}]\n" for name, value in sorted(properties.items()))


def battery_report(state: "PhoneState") -> str:
    """As Android's BatteryService prints it: the temperature in tenths of a degree."""
    charging = 2 if state.plugged else 3
    return (
        "Current Battery Service state:\n"
        "  AC powered: false\n"
        f"  USB powered: {str(state.plugged).lower()}\n"
        "  Wireless powered: false\n"
        "  Dock powered: false\n"
        "  Max charging current: 500000\n"
        "  Max charging voltage: 5000000\n"
        "  Charge counter: 3000000\n"
        f"  status: {5 if state.plugged and state.battery_level >= 100 else charging}\n"
        "  health: 2\n"
        "  present: true\n"
        f"  level: {state.battery_level}\n"
        "  scale: 100\n"
        "  voltage: 4300\n"
        f"  temperature: {round(state.battery_temperature * 10)}\n"
        "  technology: Li-ion\n"
    )


def thermal_report(state: "PhoneState") -> str:
    """As Android's ThermalManagerService prints it: a cached block, then what the hardware says now."""
    sensors = [
        (state.cpu_temperature, 0, "CPU0"),
        (state.battery_temperature, 2, "battery"),
        (state.skin_temperature, 3, "skin"),
    ]
    stale = "".join(_temperature(STALE_TEMPERATURE, kind, name, 0) for _, kind, name in sensors)
    current = "".join(_temperature(value, kind, name, state.thermal_status) for value, kind, name in sensors)
    return (
        "IsStatusOverride: false\n"
        "ThermalEventListeners:\n\tcallbacks: 1\n\tkilled: false\n\tbroadcasts count: -1\n"
        "ThermalStatusListeners:\n\tcallbacks: 1\n\tkilled: false\n\tbroadcasts count: -1\n"
        f"Thermal Status: {state.thermal_status}\n"
        f"Cached temperatures:\n{stale}"
        "HAL Ready: true\n"
        "HAL connection:\n\tThermalHAL 2.0 connected: yes\n"
        f"Current temperatures from HAL:\n{current}"
        "Current cooling devices from HAL:\n"
        "\tCoolingDevice{mValue=0, mType=2, mName=cpu}\n"
    )


def process_report(state: "PhoneState") -> str:
    """Lines of `ps -A -o PID,NAME` for programs that only seem to run."""
    return "".join(f"{40000 + number:5d} {name}\n" for number, name in enumerate(state.processes))


def runner_report(state: "PhoneState") -> str:
    """A line for each way in which runners misbehave: what they do, which, and what they say."""
    lines = []
    for match, told in state.runner.items():
        what, _, says = told.partition(":")
        lines.append(f"{what}|{match}|{says.strip()}\n")
    return "".join(lines)


def _temperature(value: float, kind: int, name: str, status: int) -> str:
    return f"\tTemperature{{mValue={value}, mType={kind}, mName={name}, mStatus={status}}}\n"
