"""In which order work is sent, and how much of it at a time."""

from paretofarm.lifecycle import Stage

LEAST_WINDOW = 64


def window(places: int) -> int:
    """Messages per queue that may be under way, sent but not claimed, on a farm that does so much at a time.

    One for each place that may fall free until the next tick; no more, so that a broker that is lost loses few, and the
    order stays ours.
    """
    return max(LEAST_WINDOW, places)


URGENCY = {stage: rank for rank, stage in enumerate(Stage)}
"""The lowest goes first. `Stage` lists the gates in order of their price."""


def room(under_way: int, window: int) -> int:
    """How many more messages a queue may have under way; the oldest evaluations get them."""
    return max(0, window - under_way)
