"""Which networks stay on a phone: the newest, within a quota. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

KEPT = 32
QUOTA_BYTES = 2 * 2**30
# Newest first, each with its size in KiB before it.
SIZES_SCRIPT = 'cd {folder} && for name in $(ls -t); do du -sk "$name"; done 2>/dev/null; true'


@dataclass(frozen=True)
class NetworkSize:
    """A network's folder and what it takes."""

    name: str
    size_bytes: int


def parse_sizes(text: str) -> list[NetworkSize]:
    """From lines `KIBIBYTES NAME`, in their order."""
    return [NetworkSize(name, int(size) * 1024) for size, name in re.findall(r"^(\d+)\s+(\w+)\s*$", text, re.MULTILINE)]


def superfluous(newest_first: Sequence[NetworkSize], *, kept: int = KEPT, quota_bytes: int = QUOTA_BYTES) -> list[str]:
    """Names of those that have to go before another one comes."""
    gone, taken = [], 0
    for position, network in enumerate(newest_first):
        taken += network.size_bytes
        if position >= kept - 1 or taken > quota_bytes:
            gone.append(network.name)
    return gone
