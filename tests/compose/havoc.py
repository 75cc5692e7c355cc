"""Kills containers, as power cuts do, and processes in them, as the kernel's memory killer does."""

import random
import threading
from collections import Counter

from farm import CheckFailed, Farm, say

OURS = ("scheduler", "worker", "trainer", "demo-agent", "phone")
SERVERS = ("broker", "postgres")
PAUSE_S = (3.0, 8.0)
DOWN_S = (0.0, 3.0)
CRASH = "import os; [os.kill(int(n), 9) for n in os.listdir('/proc') if n.isdigit() and int(n) not in (1, os.getpid())]"
"""All processes but `tini`, whose end then makes Docker start the container again."""


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

    def has_hit_all(self) -> bool:
        """Whether every service was hit at least once. Raises what ended the havoc."""
        if self.error:
            raise self.error
        return all(self.kills[service] for service in (*OURS, *SERVERS))

    def _run(self) -> None:
        try:
            while True:
                for service in self._random.sample((*OURS, *SERVERS), k=len(OURS + SERVERS)):
                    if self._stop.wait(self._random.uniform(*PAUSE_S)):
                        return
                    self._strike(service)
        except CheckFailed as error:
            self.error = error

    def _strike(self, service: str) -> None:
        containers = self._farm.containers(service)
        if not containers:
            return
        victim = self._random.choice(containers)
        self.kills[service] += 1
        if service in OURS and self._random.random() < 0.5:
            self._crash(service, victim)
        else:
            self._kill(service, victim)

    def _kill(self, service: str, victim: str) -> None:
        self._farm.docker("kill", victim)
        say(f"killed the container of {service}")
        # It counts as the operator's wish: Docker does not restart what was killed so.
        self._stop.wait(self._random.uniform(*DOWN_S))
        self._farm.docker("start", victim)

    def _crash(self, service: str, victim: str) -> None:
        try:
            self._farm.docker("exec", victim, "python", "-c", CRASH)
        except CheckFailed:  # gone before it could answer, which is what was wanted
            say(f"killed the processes of {service}, and it was gone at once")
            return
        say(f"killed the processes of {service}")
