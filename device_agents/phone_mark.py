"""A random word that agents leave on a phone, to know it again: serial numbers are not unique."""

import re
import shlex
import uuid

from paretofarm.errors import PhoneOffline
from paretofarm.ports import DeviceLink

TIMEOUT_S = 15.0
_MARK = re.compile(r"[0-9a-f]{32}")


def phone_mark(link: DeviceLink, folder: str) -> str:
    """The phone's mark, made where it has none; it lasts until somebody deletes `folder`. `Unavailable` errors."""
    path = shlex.quote(f"{folder}/mark")
    made = uuid.uuid4().hex
    # `set -C`: of two agents one writes, and both read that. A phone that lost its power may have kept an empty file.
    script = f"[ -s {path} ] || {{ rm -f {path}; (set -C; echo {made} >{path}) 2>/dev/null; }}; cat {path}"
    result = link.run(["sh", "-c", script], timeout_s=TIMEOUT_S)
    mark = result.stdout.strip()
    if not _MARK.fullmatch(mark):
        raise PhoneOffline(f"{link.serial}: {folder}/mark cannot be made or read: {result.stderr.strip() or mark!r}")
    return mark
