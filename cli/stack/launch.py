"""Becomes another program, as another user and tied to its parent: `python -I -S launch.py OPTIONS_JSON ARGV…`.

A script of its own instead of `preexec_fn`, which is not safe beside threads. It keeps the process id, so that the
parent waits for and signals the program itself. It imports the standard library only and starts in 20 ms.
"""

import ctypes
import json
import os
import signal
import sys

NOBODY = 65534
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAP_DAC_OVERRIDE = 1
LINUX_CAPABILITY_VERSION_3 = 0x20080522


def main(options: dict[str, object], argv: list[str]) -> None:
    identity, parent, death_signal = options["identity"], options["parent"], options["death_signal"]
    os.nice(int(str(options["nice"])))
    if identity == "namespace":
        enter_namespace()
    elif identity == "nobody":
        become_nobody()
    if sys.platform == "linux":
        # After the change of user, which clears it.
        check(prctl(PR_SET_PDEATHSIG, int(str(death_signal))), "prctl")
    if os.getppid() != parent:
        raise SystemExit("the parent has ended already")
    for number in (signal.SIGPIPE, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.execv(argv[0], argv)


def enter_namespace() -> None:
    """A user namespace in which we are nobody: Postgres, which refuses root, is content; files stay the caller's."""
    user, group = os.geteuid(), os.getegid()
    check(libc().unshare(CLONE_NEWUSER), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{NOBODY} {user} 1"),
        ("gid_map", f"{NOBODY} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def become_nobody() -> None:
    """From root to nobody for good, who may still read and write everywhere where root has that to give.

    The ambient capability replaces a copy of the binaries in a folder that everybody may traverse: a virtual
    environment below /root works as it is.
    """
    check(prctl(PR_SET_KEEPCAPS, 1), "prctl")
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
    override = 1 << CAP_DAC_OVERRIDE
    data = (ctypes.c_uint32 * 6)(override, override, override, 0, 0, 0)
    if libc().capset(header, data) == 0:
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE)


def prctl(call: int, *arguments: int) -> int:
    padded = [*arguments, 0, 0, 0, 0][:4]
    return int(libc().prctl(call, *(ctypes.c_ulong(argument) for argument in padded)))


def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def check(result: int, call: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{call}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]), sys.argv[2:])
    except OSError as error:
        raise SystemExit(f"cannot start {sys.argv[2]}: {error}") from error
