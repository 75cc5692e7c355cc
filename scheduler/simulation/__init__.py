"""The scheduler's policy on a virtual clock: thousands of workers and phones, weeks in seconds.

What is decided is the product's: `scheduler.search.Search` with its `lifecycle.advance`, free slots and proposals, the
order of dispatch and its window, `lifecycle.decide` for whatever fails or is lost. Only the store is in memory, and
work is a number drawn from a distribution.
"""

from scheduler.simulation.farm import Farm, Outcome, Pool
from scheduler.simulation.work import Durations, Hazards, Work

__all__ = ["Durations", "Farm", "Hazards", "Outcome", "Pool", "Work"]
