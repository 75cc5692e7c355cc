"""How noisy a phone is: the figures behind the model, each with the reason for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Bursts:
    """Other work that comes and goes: after `gap_s` (mean) it takes `low` to `high` of the processor for `length_s`.

    A share of 0.2 makes a network that competes for everything 20 % slower.
    """

    gap_s: float
    length_s: float
    low: float
    high: float


@dataclass(frozen=True)
class Regime:
    """One kind of phone in one kind of surroundings.

    jitter, tail, tail_scale: every inference scatters by `jitter` (log-normal); a share `tail` of them is interrupted
    and longer by an exponential share with mean `tail_scale`. start_jitter: how far one start of the runner lies from
    the next, since memory lies elsewhere (log-normal). drift, drift_s: a slow wander of the speed and its time
    constant. dvfs_gap_s, dvfs_length_s: how often the clock falls by a step without any heat (current limits, a
    neighbour's core), and for how long. ambient: °C. sealed: °C above ambient of the skin under full load for ever.
    """

    name: str
    jitter: float
    tail: float
    tail_scale: float
    start_jitter: float
    drift: float
    drift_s: float
    dvfs_gap_s: float
    dvfs_length_s: float
    bursts: tuple[Bursts, ...]
    ambient: float = 25.0
    sealed: float = 22.0
    phone_spread: float = 0.02


CLOCK_STEP = 0.05
"""Between neighbouring clock rates: the fast cores of Snapdragons have some twenty, 4 to 7 % apart near the top."""
SKIN_S = 400.0
"""Time constant of the skin: with `sealed` 22 a phone at 25 °C reaches its first limit after five to six minutes of
full load and settles at 10 to 15 % less speed. Under a CPU stress test a Snapdragon 888+ was down to 90 % of its speed
after 15 minutes and to 77 % after an hour (gizbot.com on the ROG Phone 5s, 2022).
"""
SILENT_LIMIT = 37.0
"""°C of the skin above which the clock is lowered before Android says so: `thermal status` is set by other limits."""
LIGHT_LIMIT = 39.0
SEVERE_LIMIT = 45.0
"""Android reports light throttling from LIGHT_LIMIT on, moderate halfway to SEVERE_LIMIT, severe from there."""
HYSTERESIS = 1.5
DEGREES_PER_STEP = 1.0
"""Each degree above SILENT_LIMIT costs one clock step."""

CALM = Regime(
    name="calm",
    jitter=0.01,
    tail=0.005,
    tail_scale=0.3,
    start_jitter=0.002,
    drift=0.003,
    drift_s=900.0,
    dvfs_gap_s=600.0,
    dvfs_length_s=10.0,
    bursts=(Bursts(gap_s=120.0, length_s=1.0, low=0.05, high=0.2),),
    sealed=11.0,
)
"""Flight mode, nothing installed, on a fan: never hot. What a lab with one's own phones can have."""

TYPICAL = Regime(
    name="typical",
    jitter=0.02,
    tail=0.02,
    tail_scale=0.5,
    start_jitter=0.004,
    drift=0.01,
    drift_s=600.0,
    dvfs_gap_s=90.0,
    dvfs_length_s=15.0,
    bursts=(
        Bursts(gap_s=25.0, length_s=1.5, low=0.05, high=0.3),
        Bursts(gap_s=400.0, length_s=30.0, low=0.05, high=0.3),
    ),
)
"""A phone on a desk with an account and the usual services: syncs of a second or two, now and then an update, and it
gets hot. Beside other work the same kind of networks on this project's own machine scattered by 2 to 4 % from
measurement to measurement (docs/measurement.md)."""

BAD = Regime(
    name="bad",
    jitter=0.04,
    tail=0.05,
    tail_scale=0.8,
    start_jitter=0.008,
    drift=0.02,
    drift_s=300.0,
    dvfs_gap_s=40.0,
    dvfs_length_s=20.0,
    bursts=(
        Bursts(gap_s=10.0, length_s=2.0, low=0.1, high=0.5),
        Bursts(gap_s=120.0, length_s=30.0, low=0.1, high=0.5),
    ),
    ambient=28.0,
    sealed=24.0,
)
"""Somebody's phone in a warm room, in use by its apps."""

REGIMES: Mapping[str, Regime] = MappingProxyType({regime.name: regime for regime in (CALM, TYPICAL, BAD)})
