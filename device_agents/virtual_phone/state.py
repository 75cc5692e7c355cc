"""What a test or a fault may change of a running phone: `change_state`, kept as one JSON file in its root folder.

Standard library only, as the phone's programs use it.
"""

import json
import os
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from device_agents.virtual_phone.reports import write_reports

STATE_FILE = "state.json"


@dataclass(frozen=True)
class PhoneState:
    """Temperatures in degrees Celsius, the battery level in percent, storage in bytes (None: as this machine has).

    `thermal_status` is Android's: 0 none, 1 light, 2 moderate, 3 severe. `properties` adds to those of `getprop`.
    `logcat`: what is in the log. `processes`: names of programs that run besides ours. `runner`: what the programs that
    run networks do, by a part of their command line (empty: any): `hang`, `crash`, `kill`, `refuse`, or `orphan` (leave
    a process behind and go on), after a colon what they say to stderr; or `steady: SECONDS` (say that every inference
    took so long, and compute nothing). `boot_completion_s`: how long the phone answers after a reboot before it has
    booted; `after_reboot`: fields that change with the next one.
    """

    thermal_status: int = 0
    skin_temperature: float = 30.0
    cpu_temperature: float = 35.0
    battery_temperature: float = 28.0
    battery_level: int = 100
    plugged: bool = True
    low_power: bool = False
    boot_completed: bool = True
    storage_bytes: int | None = None
    properties: dict[str, str] = field(default_factory=dict)
    logcat: str = ""
    processes: list[str] = field(default_factory=list)
    runner: dict[str, str] = field(default_factory=dict)
    boot_completion_s: float = 0.0
    after_reboot: dict[str, Any] = field(default_factory=dict)


def load_state(root: Path) -> PhoneState:
    """The state kept in a phone's root folder; the defaults where there is none."""
    try:
        values: dict[str, Any] = json.loads((root / STATE_FILE).read_text())
    except FileNotFoundError:
        return PhoneState()
    known = {f.name for f in fields(PhoneState)}
    return PhoneState(**{name: value for name, value in values.items() if name in known})


def save_state(root: Path, state: PhoneState) -> None:
    """Keeps the state, and lets the phone's programs know."""
    write_reports(root, state)
    part = root / f"{STATE_FILE}.part{os.getpid()}"
    part.write_text(json.dumps(asdict(state), indent=2) + "\n")
    part.replace(root / STATE_FILE)


def change_state(root: Path, **changes: Any) -> PhoneState:
    """Changes some fields of a running phone, e.g. `change_state(root, thermal_status=3)`."""
    state = replace(load_state(root), **changes)
    save_state(root, state)
    return state


def rebooted_state(root: Path) -> PhoneState:
    """Changes what a reboot changes; the state after it."""
    state = load_state(root)
    changes = {"boot_completed": state.boot_completion_s <= 0, **state.after_reboot, "after_reboot": {}}
    return change_state(root, **changes)


def used_bytes(root: Path) -> int:
    """What the phone's files take."""
    total = 0
    for name in ("data", "sdcard"):
        for folder, _, names in os.walk(root / name):
            for file_name in names:
                try:
                    total += os.lstat(os.path.join(folder, file_name)).st_size
                except FileNotFoundError:  # removed meanwhile
                    continue
    return total


def free_bytes(root: Path) -> int:
    """What still fits: this machine's free space, or what the simulated storage leaves of it."""
    disk = os.statvfs(root)
    free = disk.f_bavail * disk.f_frsize
    limit = load_state(root).storage_bytes
    return free if limit is None else max(0, min(free, limit - used_bytes(root)))
