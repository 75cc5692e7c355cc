"""Work in a process of its own: a warm server forks one per job, so a crash, a leak or a kill concerns one job only."""

from workers.isolation.fork_server import ForkServer
from workers.isolation.job import IsolatedJob

__all__ = ["ForkServer", "IsolatedJob"]
