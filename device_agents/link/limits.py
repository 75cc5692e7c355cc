"""How long a link waits for what, in seconds."""

CONNECT_S = 5.0
HOUSEKEEPING_S = 10.0
STALL_S = 10.0
"""The longest silence within a transfer."""
ASK_FOR_LIFE_S = 2.0
"""A command that has said nothing for so long may run on a phone that is gone: the phone is asked."""
SIGN_OF_LIFE_S = 8.0
"""The longest wait for that answer, and for the rest of a message that has begun."""
# Slower than any cable: a transfer below this is stuck, not slow.
SLOWEST_BYTES_PER_S = 500_000


def transfer_s(size: int) -> float:
    """For a file of so many bytes."""
    return HOUSEKEEPING_S + size / SLOWEST_BYTES_PER_S
