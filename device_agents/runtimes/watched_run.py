"""Runs a runner that does not tell how much memory it takes: its peak is read from /proc on the phone while it runs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from paretofarm.ports import CommandResult, DeviceLink

# The system keeps the peak (VmHWM) for as long as a process has memory, so the last look before its end is right. The
# first ones follow each other without a pause: some runners end within hundredths of a second.
SCRIPT = """\
"$@" & runner=$!
peak= looks=0
look() {
  now=
  while read -r name value rest; do
    case $name in VmHWM:) now=$value; break;; esac
  done 2>/dev/null </proc/$runner/status
  [ "$now" ]
}
while look; do
  peak=$now looks=$((looks + 1))
  [ $looks -lt 50 ] || sleep 0.02 2>/dev/null || sleep 1
done
wait $runner; code=$?
echo; echo "__peak_kb=$peak"; exit $code
"""
_PEAK_LINE = re.compile(r"\n__peak_kb=(\d*)\r?\n\Z")


def watched_run(
    link: DeviceLink,
    argv: Sequence[str],
    *,
    timeout_s: float,
    watch: bool,
    environment: Mapping[str, str] | None = None,
    directory: str | None = None,
) -> tuple[CommandResult, int | None]:
    """`link.run`, and the runner's peak memory in bytes where it is watched.

    Watching takes a few hundredths of a processor that is not the runner's: not for times that count. Of a script it is
    the shell's own memory that is seen, unless it replaces itself (`exec`) by what it starts.
    """
    if not watch:
        return link.run(argv, timeout_s=timeout_s, environment=environment, directory=directory), None
    words = watching(argv, environment or {})
    return peak_told(link.run(words, timeout_s=timeout_s, directory=directory))


def watching(argv: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The words that run argv under observation. Only the runner sees its environment: paths of a maker's libraries are
    no good to the system's shell.
    """
    assignments = ["env", *(f"{name}={value}" for name, value in environment.items())] if environment else []
    return ["sh", "-c", SCRIPT, "sh", *assignments, *argv]


def peak_told(result: CommandResult) -> tuple[CommandResult, int | None]:
    """The runner's own result, and its peak memory in bytes; None where nothing could be seen."""
    found = _PEAK_LINE.search(result.stdout)
    if found is None:
        return result, None
    peak = int(found[1]) * 1024 if found[1] else None
    return replace(result, stdout=result.stdout[: found.start()]), peak
