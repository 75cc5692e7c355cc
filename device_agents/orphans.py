"""Processes of ours that outlived their job: a lost link, a timeout or a killed agent leaves them behind."""

import logging
import re
import time

from paretofarm.errors import RunnerFailed
from paretofarm.ports import DeviceLink

log = logging.getLogger(__name__)

TIMEOUT_S = 15
PAUSES_S = (0.0, 0.05, 0.2, 1.0, 3.0)
"""After each kill, before the next look: a process dies when it is scheduled again, on a busy phone not at once."""
# Whatever works for us has its working folder below ours. One `ls` for all processes: starting a program for each
# takes seconds on a phone.
SCRIPT = "ls -ld /proc/[0-9]*/cwd 2>/dev/null; true"
_LINE = re.compile(r"/proc/(\d+)/cwd -> (.+?)(?: \(deleted\))?$", re.MULTILINE)


def sweep(link: DeviceLink, home: str) -> int:
    """Kills every process whose working folder is `home` or below it; returns how many there were.

    Errors: RunnerFailed where one survives (it hangs in a driver: only a reboot helps); those of the link.
    """
    killed: set[int] = set()
    for pause_s in PAUSES_S:
        orphans = find_orphans(link, home)
        if not orphans:
            return len(killed)
        log.warning("%s: killing processes of earlier jobs: %s", link.serial, ", ".join(map(str, orphans)))
        killed |= set(orphans)
        link.run(["sh", "-c", kill_script(orphans)], timeout_s=TIMEOUT_S)
        time.sleep(pause_s)
    left = find_orphans(link, home)
    if left:
        raise RunnerFailed(f"process {left[0]} of an earlier job cannot be killed")
    return len(killed)


def find_orphans(link: DeviceLink, home: str) -> tuple[int, ...]:
    """Ids of the processes that work below `home`."""
    return parse_working_below(link.run(["sh", "-c", SCRIPT], timeout_s=TIMEOUT_S).stdout, home)


def parse_working_below(text: str, home: str) -> tuple[int, ...]:
    """From the lines of `ls -ld /proc/[0-9]*/cwd`."""
    found = _LINE.findall(text.replace("\r\n", "\n"))
    return tuple(int(pid) for pid, folder in found if folder == home or folder.startswith(f"{home}/"))


def kill_script(pids: tuple[int, ...]) -> str:
    """Each with its process group, where it leads one."""
    lines = [f"kill -s KILL -- -{pid} 2>/dev/null; kill -s KILL {pid} 2>/dev/null" for pid in pids]
    return "; ".join([*lines, "true"])
