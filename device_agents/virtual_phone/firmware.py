"""What is in the phone's root folder before anybody uses it: folders, properties, programs."""

import importlib.util
import shlex
import stat
import sys
from importlib import metadata
from pathlib import Path

from device_agents.virtual_phone.processes import MARK
from device_agents.virtual_phone.reports import PROPERTIES_FILE, REPORTS
from device_agents.virtual_phone.runners import RUNNERS
from device_agents.virtual_phone.state import load_state, save_state
from device_agents.virtual_phone.tools import TOOLS

BIN = "system/bin"
RUN = "dev"
RELEASE = "14"
SDK = "34"


def install_firmware(root: Path, serial: str) -> None:
    """Makes the root folder what a phone with this serial number has. Files of earlier runs stay."""
    for folder in ("data/local/tmp", "sdcard", BIN, RUN):
        (root / folder).mkdir(parents=True, exist_ok=True)
    properties = build_properties(serial)
    (root / PROPERTIES_FILE).write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    save_state(root, load_state(root))
    for name, text in _programs(root).items():
        path = root / BIN / name
        path.write_text(f"#!/bin/sh\n{text}")
        path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def build_properties(serial: str) -> dict[str, str]:
    # Another onnxruntime is to this phone what another system version is to a handset: paces and outputs may change.
    build = _version("onnxruntime")
    fingerprint = f"paretofarm/virtual/virtual:{RELEASE}/PF1/{build}:user/release-keys"
    return {
        "ro.serialno": serial,
        "ro.product.name": "virtual",
        "ro.product.device": "virtual",
        "ro.product.manufacturer": "paretofarm",
        "ro.product.model": "Paretofarm virtual phone",
        "ro.product.cpu.abi": "x86_64",
        "ro.board.platform": "virtual",
        "ro.soc.manufacturer": "paretofarm",
        "ro.soc.model": "VIRTUAL",
        "ro.build.fingerprint": fingerprint,
        "ro.build.version.release": RELEASE,
        "ro.build.version.sdk": SDK,
        "ro.paretofarm.simulated": "1",
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def banner(serial: str, features: tuple[str, ...]) -> bytes:
    """What the phone says of itself when a client connects."""
    properties = build_properties(serial)
    names = ("ro.product.name", "ro.product.model", "ro.product.device")
    fields = [f"{name}={properties[name]}" for name in names] + [f"features={','.join(features)}"]
    return ("device::" + ";".join(fields)).encode()


# Prints a property, or the second word where there is none, or all; without starting another process.
GETPROP = """
[ $# -eq 0 ] && exec cat "$reports/getprop"
while IFS= read -r line; do
  case $line in "[$1]: ["*) line=${line#*: [}; printf '%s\\n' "${line%]}"; exit 0;; esac
done <"$reports/getprop"
printf '%s\\n' "$2"
"""
DUMPSYS = """
case $1 in
  battery|thermalservice) exec cat "$reports/$1";;
  "") printf 'Currently running services:\\n  battery\\n  thermalservice\\n';;
  *) echo "Can't find service: $1";;
esac
"""
SETTINGS = """
[ "$*" = "get global low_power" ] && exec cat "$reports/low_power"
"""
# This machine's own df, unless the storage is simulated.
DF = """
[ -s "$reports/storage" ] || PATH=${PATH#*:} exec df "$@"
"""
LOGCAT = """
echo '--------- beginning of main'
cat "$reports/logcat"
"""
# Processes of this phone alone, of all that this machine has: they carry its mark.
PS = """
echo '  PID NAME'
cat "$reports/processes"
for environ in $(grep -lzxF "$mark" /proc/[0-9]*/environ 2>/dev/null); do
  pid=${environ#/proc/}; pid=${pid%/environ}
  name=$(tr '\\0' '\\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -m1 -xE "$runners")
  [ -n "$name" ] || read -r name <"/proc/$pid/comm" 2>/dev/null || continue
  printf '%5d %s\\n' "$pid" "$name"
done
"""
# What a runner does instead of its work, where the state says so. `steady` stands for the timing tool alone: a row of
# its result file for each inference.
MISBEHAVE = """
pretend() {
  case $0 in *perf_test) ;; *) return;; esac
  cost=$1 count=0; shift
  while [ $# -gt 1 ]; do [ "$1" = -r ] && count=$2; shift; done
  while [ "$count" -gt 0 ]; do count=$((count - 1)); echo "pretended,$cost,1000000,50,$count"; done >>"$1"
  exit 0
}
if [ -s "$reports/runner" ]; then
  while IFS='|' read -r what match says; do
    case "$*" in *"$match"*) ;; *) continue;; esac
    [ "$what" = steady ] && pretend "$says" "$@"
    [ -n "$says" ] && [ "$what" != steady ] && printf '%s\\n' "$says" >&2
    case $what in
      hang) exec sleep 86400;;
      crash) kill -s SEGV $$;;
      kill) kill -s KILL $$;;
      refuse) exit 255;;
      orphan) setsid sleep 86400 </dev/null >/dev/null 2>&1 & ;;
    esac
    break
  done <"$reports/runner"
fi
"""
# numpy's OpenBLAS starts a thread per core as it is imported, which costs as much as all else in it.
ONE_THREAD = "export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1\n"


def _programs(root: Path) -> dict[str, str]:
    """Shell text of each program in the phone's `bin` folder."""
    reports = f"reports={shlex.quote(str(root / REPORTS))}\n"
    tool = {name: _python("device_agents.virtual_phone.tools", str(root), name) for name in TOOLS}
    client = "device_agents.virtual_phone.warm_client"
    runner = {name: _python(client, str(root / RUN), name, packages=True) for name in RUNNERS}
    return {
        "getprop": reports + GETPROP,
        "dumpsys": reports + DUMPSYS,
        "settings": reports + SETTINGS + tool["settings"],
        "df": reports + DF + tool["df"],
        "cmd": tool["cmd"],
        "logcat": reports + LOGCAT,
        "ps": reports + f"mark={shlex.quote(f'{MARK}={root}')} runners={shlex.quote('|'.join(RUNNERS))}\n" + PS,
        **{name: reports + MISBEHAVE + ONE_THREAD + text for name, text in runner.items()},
    }


def runner_server(root: Path) -> list[str]:
    """What the phone runs from its start, so that the runner starts at once (see `warm_runner`)."""
    start = f"from device_agents.virtual_phone.warm_runner import serve; serve({str(root / RUN)!r})"
    return ["/bin/sh", "-c", f'{ONE_THREAD}exec "$@"', "sh", *_interpreter(start, packages=True)]


def _python(module: str, *arguments: str, packages: bool = False) -> str:
    """Shell text that runs a module's `main` with these arguments and then the program's own."""
    command = _interpreter(f"from {module} import main; sys.exit(main(sys.argv[1:]))", packages=packages)
    return shlex.join(["exec", *command, *arguments]) + ' "$@"\n'


def _interpreter(code: str, *, packages: bool) -> list[str]:
    """Runs Python code in a bare interpreter: without `site` it starts in half the time."""
    folders = [str(Path(__file__).parents[2])]
    numpy = importlib.util.find_spec("numpy") if packages else None
    if numpy is not None and numpy.origin is not None:
        folders.append(str(Path(numpy.origin).parents[1]))
    return [sys.executable, "-I", "-S", "-c", f"import sys; sys.path += {folders!r}; {code}"]
