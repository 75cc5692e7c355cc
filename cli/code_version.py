"""Which code a search was started with."""

import subprocess
from importlib import metadata
from pathlib import Path

TIMEOUT_S = 5.0


def code_version() -> str:
    """`0.1.0`, and the commit where the code runs from a checkout: `0.1.0+g1a2b3c4`, with `.dirty` when changed."""
    version = metadata.version("paretofarm")
    root = Path(__file__).parents[1]
    if not (root / ".git").exists():
        return version
    argv = ["git", "-C", str(root), "describe", "--always", "--dirty=.dirty", "--exclude=*", "--abbrev=8"]
    try:
        result = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return version
    commit = result.stdout.strip()
    return f"{version}+g{commit}" if result.returncode == 0 and commit else version
