"""How far a search is."""

from enum import StrEnum


class ExperimentStatus(StrEnum):
    """`running ⇄ stopped`, then `finished`. Stopped: nothing is proposed; candidates in flight come to their end."""

    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"
