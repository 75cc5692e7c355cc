"""In which order work is sent, and how much of it at a time."""

from paretofarm.lifecycle import Stage

WINDOW = 64
"""Messages per queue under way, sent but not claimed: a broker that is lost loses few, and the order stays ours."""

URGENCY = {stage: rank for rank, stage in enumerate(Stage)}
"""The lowest goes first. `Stage` lists the gates in order of their price."""


def room(under_way: int, window: int = WINDOW) -> int:
    """How many more messages a queue may have under way; the oldest evaluations get them."""
    return max(0, window - under_way)
