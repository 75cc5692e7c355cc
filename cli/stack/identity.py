"""As whom the servers run. Postgres refuses to run as root, and asks the system for its user's name."""

import json
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from cli.stack import launch
from paretofarm.errors import StackError


class Identity(StrEnum):
    """How a server's user follows from ours."""

    SAME = "same"
    NAMESPACE = "namespace"
    """Nobody within a user namespace of its own: seen from outside, files and processes stay ours."""
    NOBODY = "nobody"
    """Really nobody, where user namespaces are denied (as Docker does by default); its files are handed over."""

    @property
    def owner(self) -> int:
        """User id, seen from here, that must own the servers' folders."""
        return launch.NOBODY if self is Identity.NOBODY else os.geteuid()


def choose_identity() -> Identity:
    """SAME for an ordinary user; for root, and for a user without a name, the first way out that works here."""
    if sys.platform != "linux" or (os.geteuid() != 0 and _has_name()):
        return Identity.SAME
    if _namespaces_allowed():
        return Identity.NAMESPACE
    return Identity.NOBODY if os.geteuid() == 0 else Identity.SAME


def launch_command(
    argv: Sequence[str],
    *,
    identity: Identity = Identity.SAME,
    death_signal: signal.Signals = signal.SIGKILL,
    nice: int = 0,
) -> list[str]:
    """argv for a direct child of ours that becomes `argv` (whose first word is an absolute path).

    On Linux the child gets `death_signal` when the *thread* that started it ends: start it from one that stays.
    """
    options = {"identity": identity, "death_signal": death_signal, "nice": nice, "parent": os.getpid()}
    return [sys.executable, "-I", "-S", str(Path(launch.__file__)), json.dumps(options), *argv]


def hand_over(folder: Path, identity: Identity) -> None:
    """Makes `folder` (or a file) and all below belong to the identity's owner; nothing to do where it does already."""
    if folder.stat().st_uid == identity.owner:
        return
    if os.geteuid() != 0:
        raise StackError(f"{folder} belongs to another user (id {folder.stat().st_uid}): run as that user, or as root")
    for path in [*folder.rglob("*"), folder]:  # the folder last: it is the mark that all is done
        os.chown(path, identity.owner, -1, follow_symlinks=False)


def _has_name() -> bool:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def _namespaces_allowed() -> bool:
    probe = launch_command((sys.executable, "-I", "-S", "-c", ""), identity=Identity.NAMESPACE)
    return subprocess.run(probe, capture_output=True, timeout=30, check=False).returncode == 0
