"""The small programs of the phone's own `bin` folder that stand for Android's, over `state.PhoneState`.

Started as `python -I -S -c …` by a shell wrapper (20 ms): standard library only.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from device_agents.virtual_phone.state import PhoneState, change_state, free_bytes, load_state, used_bytes

PROPERTIES_FILE = "build.prop"
# What the cached block of `dumpsys thermalservice` says whatever the temperature is: on phones it is stale too.
STALE_TEMPERATURE = 26.0


def getprop(root: Path, argv: Sequence[str]) -> tuple[str, int]:
    properties = all_properties(root)
    if argv:
        return properties.get(argv[0], argv[1] if len(argv) > 1 else "") + "\n", 0
    return "".join(f"[{name}]: [{value}]\n" for name, value in sorted(properties.items())), 0


def all_properties(root: Path) -> dict[str, str]:
    """Those of `build.prop`, then those that follow the state, then those that the state adds."""
    lines = (root / PROPERTIES_FILE).read_text().splitlines()
    state = load_state(root)
    properties = dict(line.split("=", 1) for line in lines if "=" in line)
    properties["sys.boot_completed"] = "1" if state.boot_completed else ""
    return properties | state.properties


def dumpsys(root: Path, argv: Sequence[str]) -> tuple[str, int]:
    state = load_state(root)
    if argv[:1] == ["battery"]:
        return battery_report(state), 0
    if argv[:1] == ["thermalservice"]:
        return thermal_report(state), 0
    return (
        f"Can't find service: {argv[0]}\n" if argv else "Currently running services:\n  battery\n  thermalservice\n",
        0,
    )


def battery_report(state: PhoneState) -> str:
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


def thermal_report(state: PhoneState) -> str:
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


def _temperature(value: float, kind: int, name: str, status: int) -> str:
    return f"\tTemperature{{mValue={value}, mType={kind}, mName={name}, mStatus={status}}}\n"


def settings(root: Path, argv: Sequence[str]) -> tuple[str, int]:
    """`settings get global low_power`, `settings put global low_power 0|1`; anything else is unset, as on a phone."""
    match list(argv):
        case ["get", "global", "low_power"]:
            return ("1\n" if load_state(root).low_power else "0\n"), 0
        case ["get", _, _]:
            return "null\n", 0
        case ["put", "global", "low_power", value]:
            change_state(root, low_power=value == "1")
            return "", 0
        case ["put", _, _, _]:
            return "", 0
    return "usage: settings get|put NAMESPACE KEY [VALUE]\n", 255


def cmd(root: Path, argv: Sequence[str]) -> tuple[str, int]:
    """`cmd SERVICE …`, for the services that are here."""
    match list(argv):
        case ["settings", *rest]:
            return settings(root, rest)
        case ["thermalservice", "override-status", status] if status.isdigit():
            change_state(root, thermal_status=int(status))
            return "", 0
        case ["thermalservice", "reset"]:
            change_state(root, thermal_status=0)
            return "", 0
        case [service, *_]:
            return f"cmd: Can't find service: {service}\n", 20
    return "cmd: No service specified; use -l to list all services\n", 20


def df(root: Path, argv: Sequence[str]) -> tuple[str, int]:
    """`df [-k] FOLDER…` of the simulated storage; the folders come with this machine's paths, and must exist."""
    folders = [Path(word) for word in argv if not word.startswith("-")] or [root / "data"]
    lines = ["Filesystem     1K-blocks      Used Available Use% Mounted on"]
    for folder in folders:
        if not folder.exists():
            return f"df: {folder}: No such file or directory\n", 1
        free, used = free_bytes(root) // 1024, used_bytes(root) // 1024
        percent = 100 * used // max(1, used + free)
        lines.append(f"/dev/virtual {used + free} {used} {free} {percent}% /data")
    return "\n".join(lines) + "\n", 0


def logcat(root: Path, argv: Sequence[str]) -> tuple[str, int]:
    """There is no log."""
    return "--------- beginning of main\n", 0


TOOLS: dict[str, Callable[[Path, Sequence[str]], tuple[str, int]]] = {
    "getprop": getprop,
    "dumpsys": dumpsys,
    "settings": settings,
    "cmd": cmd,
    "df": df,
    "logcat": logcat,
}


def main(argv: Sequence[str]) -> int:
    """Runs `argv[1:]` as a tool of the phone whose root folder is `argv[0]`."""
    root, name, *arguments = argv
    text, code = TOOLS[name](Path(root), arguments)
    (sys.stdout if code == 0 else sys.stderr).write(text)
    return code
