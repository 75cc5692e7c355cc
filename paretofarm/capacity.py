"""How much work a farm does at a time, and how many candidates it takes to keep it busy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from paretofarm.lifecycle import Stage, queue_name

LEAST, MOST = 8, 20_000
"""In flight, of a search that does not say how many itself: a farm that is not up yet is going to be."""
SLACK = 0.1
"""Of the places: for what waits between two stages. With 22 places 24 came within 5 % of the busiest pool's limit
(benchmarks/README.md); many more would be proposed from older news."""


@dataclass(frozen=True)
class Capacity:
    """slots: jobs that live workers do at a time; phones: live ones by the queue they measure from; searches: that run
    now, and share them."""

    slots: int = 0
    phones: Mapping[str, int] = field(default_factory=dict)
    searches: int = 1

    @property
    def places(self) -> int:
        """All of them."""
        return self.slots + sum(self.phones.values())

    def in_flight(self, devices: Iterable[str]) -> int:
        """How many candidates keep a search's share busy, whose networks run on these device classes."""
        queues = {queue_name(Stage.MEASURE, device) for device in devices}
        places = self.slots + sum(number for queue, number in self.phones.items() if queue in queues)
        wanted = places + max(2, round(SLACK * places))
        return min(MOST, max(LEAST, -(-wanted // max(1, self.searches))))


NOBODY = Capacity()
"""A farm of which nothing is up."""
