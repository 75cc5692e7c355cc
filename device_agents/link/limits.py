"""How long a link waits for what, in seconds."""

CONNECT_S = 5.0
HOUSEKEEPING_S = 10.0
STALL_S = 10.0
"""The longest silence within a transfer."""
# Slower than any cable: a transfer below this is stuck, not slow.
SLOWEST_BYTES_PER_S = 500_000


def transfer_s(size: int) -> float:
    """For a file of so many bytes."""
    return HOUSEKEEPING_S + size / SLOWEST_BYTES_PER_S
