"""Qualcomm's SDK (QAIRT): its version, and which versions go together. Pure."""

import re

_VERSION = re.compile(r"\d+(?:\.\d+){2,3}")


def sdk_version(description: str, folder_name: str) -> str | None:
    """From the SDK's `sdk.yaml` (empty where there is none), else from the folder it was unpacked to; else None."""
    line = re.search(r"^\s*version\s*:\s*['\"]?v?([\d.]+)", description, re.MULTILINE)
    found = _VERSION.search(line.group(1) if line else folder_name)
    return found.group() if found else None


def runs(runtime: str, compiled: str) -> bool:
    """Whether a runtime of that version runs what a compiler of that version made: it must not be older.

    Only major and minor version count: the rest says when it was built.
    """
    return _release(runtime) >= _release(compiled)


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
