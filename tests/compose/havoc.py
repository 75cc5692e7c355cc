"""Kills containers at random, as power cuts and the kernel's memory killer would, and starts them again."""

import random
import threading
from collections import Counter

from farm import CheckFailed, Farm, say

VICTIMS = ("scheduler", "worker", "trainer", "demo-agent", "phone", "broker", "postgres")
PAUSE_S = (6.0, 12.0)
DOWN_S = (0.0, 3.0)


class Havoc:
    """Runs within a `with` block; `kills` says how often which service was hit."""

    def __init__(self, farm: Farm, seed: int) -> None:
        self.kills: Counter[str] = Counter()
        self.error: CheckFailed | None = None
        self._farm = farm
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="havoc")

    def __enter__(self) -> "Havoc":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()
        if self.error and exc[0] is None:
            raise self.error

    def _run(self) -> None:
        while not self._stop.wait(self._random.uniform(*PAUSE_S)):
            try:
                self._strike(self._random.choice(VICTIMS))
            except CheckFailed as error:
                self.error = error
                return

    def _strike(self, service: str) -> None:
        containers = self._farm.containers(service)
        if not containers:
            return
        victim = self._random.choice(containers)
        self._farm.docker("kill", victim)
        self.kills[service] += 1
        say(f"killed {service}")
        # `docker kill` counts as the operator's wish: Docker does not restart what was killed by it.
        self._stop.wait(self._random.uniform(*DOWN_S))
        self._farm.docker("start", victim)
