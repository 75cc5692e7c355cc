"""The small programs of the phone's own `bin` folder that need more than a prepared report (see `reports`).

Started as `python -I -S -c …` by a shell wrapper: standard library only.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from device_agents.virtual_phone.state import change_state, free_bytes, load_state, used_bytes


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


TOOLS: dict[str, Callable[[Path, Sequence[str]], tuple[str, int]]] = {"settings": settings, "cmd": cmd, "df": df}


def main(argv: Sequence[str]) -> int:
    """Runs `argv[1:]` as a tool of the phone whose root folder is `argv[0]`."""
    root, name, *arguments = argv
    text, code = TOOLS[name](Path(root), arguments)
    (sys.stdout if code == 0 else sys.stderr).write(text)
    return code
