"""What a phone's battery gives while a network runs: an estimate, and only while the phone is unplugged.

A shell loop on the phone notes the battery's current and voltage ten times a second during the candidate's blocks. It
is the whole phone's power, screen and radio included. Kernels promise µA and µV, and a negative current when the
battery is drained; vendors differ in units and sign, so both are read off the values.
"""

import logging
import re
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from paretofarm.errors import Unavailable
from paretofarm.ports import DeviceLink

log = logging.getLogger(__name__)

SUPPLY = "/sys/class/power_supply/battery"
RATE_HZ = 10
LIMIT_S = 900
"""After which a loop that nobody could stop ends by itself."""
LEAST_SAMPLES = 5
# Without forks but for `sleep`: the loop must not disturb what it watches.
LOOP = (
    'n=0; while [ "$n" -lt "$2" ]; do read -r c <"$1/current_now" || exit 1; read -r v <"$1/voltage_now" || exit 1; '
    'echo "$c $v"; n=$((n + 1)); sleep 0.1; done'
)
_VOLTS = (2.5, 15.0)
"""Of one to three cells in a row."""
_LEAST_MICROAMPERES = 20_000
"""A phone that computes takes more than 20 mA; what reads as less is in mA."""


@dataclass(frozen=True)
class BatterySample:
    """As the kernel says it, in whatever unit."""

    current: int
    voltage: int


@dataclass(frozen=True)
class Power:
    """watts: median over the samples, of the whole phone."""

    watts: float
    volts: float
    samples: int

    def to_dict(self, latency_ms: float) -> dict[str, Any]:
        """JSON, with the energy of an inference that takes so long."""
        return {
            "estimated": True,
            "millijoules_per_inference": self.watts * latency_ms,
            "watts": self.watts,
            "volts": self.volts,
            "samples": self.samples,
        }


@dataclass
class EnergySampler:
    """Watches one phone's battery around blocks. supply: the battery's folder in its sysfs."""

    link: DeviceLink
    folder: str
    supply: str = field(default_factory=lambda: SUPPLY)
    _samples: list[BatterySample] = field(default_factory=list)
    _starts: int = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Samples while the body runs. A phone that does not let itself be watched is measured all the same."""
        self._starts += 1
        folder = f"{self.folder}/energy-{self._starts}"
        argv = ["sh", "-c", LOOP, "sh", self.supply, str(LIMIT_S * RATE_HZ)]
        job = self.link.start(argv, folder=folder)
        try:
            yield
        finally:
            self.link.kill(job)
        self._samples += self._read(folder)

    def power(self) -> Power | None:
        """None where the battery told nothing that makes sense."""
        return power(self._samples)

    def _read(self, folder: str) -> list[BatterySample]:
        try:
            return parse_samples(self.link.pull(f"{folder}/log").decode(errors="replace"))
        except (FileNotFoundError, Unavailable) as error:
            log.warning("%s: no samples of the battery: %s", self.link.serial, error)
            return []


def parse_samples(text: str) -> list[BatterySample]:
    """Lines `CURRENT VOLTAGE`; the last may be cut, and what is no number is an error of the shell's."""
    lines = re.findall(r"^(-?\d+) (\d+)\n", text, re.MULTILINE)
    return [BatterySample(int(current), int(voltage)) for current, voltage in lines]


def power(samples: Sequence[BatterySample]) -> Power | None:
    """None for too few samples, a voltage that no battery has, or a current whose sign changes: it was charged."""
    if len(samples) < LEAST_SAMPLES:
        return None
    volts = _volts(statistics.median(sample.voltage for sample in samples))
    currents = [sample.current for sample in samples if sample.current]
    if volts is None or not currents or min(currents) < 0 < max(currents):
        return None
    current = abs(statistics.median(currents))
    amperes = current / (1e6 if current >= _LEAST_MICROAMPERES else 1e3)
    return Power(watts=amperes * volts, volts=volts, samples=len(samples))


def _volts(value: float) -> float | None:
    """From µV, mV or V, whichever gives a battery's voltage."""
    found = [value / unit for unit in (1e6, 1e3, 1.0) if _VOLTS[0] <= value / unit <= _VOLTS[1]]
    return found[0] if found else None
