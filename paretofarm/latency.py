"""From raw inference times to a latency that can be trusted: blocks, drift, confidence interval, noise verdict.

The protocol (docs/measurement.md): blocks of the candidate's inferences alternate with blocks of a small reference
network, R C R C … R. Whatever slows the phone down for a while slows both, so the candidate's blocks are brought to
the pace at which the phone runs the reference when nothing slows it, and from there to the pace of the device class.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

import numpy as np
import numpy.typing as npt

from paretofarm.sensitivity import fit

MAX_REFERENCE_DRIFT = 0.05
MAX_REFERENCE_SHIFT = 0.08
"""By default, from the phone's usual pace. What slows it down slows one network more than another: the correction is
uncertain in proportion to its size (`sensitivity`), so that it must stay small."""

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """One block of the candidate between two of the reference; all samples in milliseconds per inference."""

    reference_before_ms: tuple[float, ...]
    candidate_ms: tuple[float, ...]
    reference_after_ms: tuple[float, ...]
    disturbed: str | None = None
    """Why the block must not count (throttling, a change of power source), as the agent saw it."""

    def __post_init__(self) -> None:
        for samples in (self.reference_before_ms, self.candidate_ms, self.reference_after_ms):
            if not samples or not all(np.isfinite(samples)) or min(samples) <= 0:
                raise ValueError("a block needs positive, finite samples of the candidate and of the reference")

    @property
    def reference_ms(self) -> float:
        """The reference's pace during the candidate's block: the mean of the medians around it."""
        return float((np.median(self.reference_before_ms) + np.median(self.reference_after_ms)) / 2)

    @property
    def drift(self) -> float:
        """Relative change of the reference's median from before to after."""
        before, after = np.median(self.reference_before_ms), np.median(self.reference_after_ms)
        return float(abs(after - before) / min(before, after))

    def counts(self, usual_ms: float | None, max_shift: float = MAX_REFERENCE_SHIFT) -> bool:
        """usual_ms: the reference's usual pace on this phone; None while nobody knows it."""
        shift = 0.0 if usual_ms is None else abs(self.reference_ms / usual_ms - 1)
        return self.disturbed is None and self.drift <= MAX_REFERENCE_DRIFT and shift <= max_shift


class Verdict(StrEnum):
    """What to do after a block."""

    MORE = "more"
    STEADY = "steady"
    NOISY = "noisy"


@dataclass(frozen=True)
class LatencySummary:
    """A measurement in numbers, all times in milliseconds.

    latency_ms: at the device class's pace, drift taken out; low_ms, high_ms: its 95 % interval; raw_latency_ms: the
    median of the block medians as they were; p90_ms, minimum_ms: over all samples, raw. sensitivity: how much of the
    reference's slowdown the candidate was found to share (1: all). blocks: how many it rests on; discarded: how many
    did not count. Where too few count, it rests on the others too, and is noisy.
    """

    latency_ms: float
    low_ms: float
    high_ms: float
    raw_latency_ms: float
    p90_ms: float
    minimum_ms: float
    reference_ms: float
    reference_ratio: float
    sensitivity: float
    blocks: int
    discarded: int
    inferences: int
    noisy: bool

    @property
    def relative_ci(self) -> float:
        """Half-width of the interval as a share of the value."""
        return (self.high_ms - self.low_ms) / 2 / self.latency_ms


def judge(
    blocks: Sequence[Block],
    *,
    baseline_ms: float | None,
    max_relative_ci: float,
    min_blocks: int,
    max_blocks: int,
    usual_ms: float | None = None,
    rested_ms: float | None = None,
    max_reference_shift: float = MAX_REFERENCE_SHIFT,
) -> tuple[Verdict, LatencySummary | None]:
    """Says whether more blocks are needed, and what the ones at hand amount to (None while there are too few).

    baseline_ms: the reference's pace to which times are normalised; usual_ms: its usual pace on this very phone, from
    which blocks may not be far; rested_ms: the same while nothing slows the phone, None for one that knows no rest.
    """
    counted = [block for block in blocks if block.counts(usual_ms, max_reference_shift)]
    discarded = len(blocks) - len(counted)
    exhausted = len(blocks) >= max_blocks
    summary_of = partial(summarise, baseline_ms=baseline_ms, rested_ms=rested_ms, discarded=discarded)
    if len(counted) < min_blocks:
        if not exhausted:
            return Verdict.MORE, None
        # The few that count may agree by chance; all of them together make the better guess.
        counted = [block for block in blocks if block.disturbed is None] or list(blocks)
        return Verdict.NOISY, summary_of(counted, noisy=True)
    summary = summary_of(counted)
    if summary.relative_ci <= max_relative_ci:
        return Verdict.STEADY, summary
    return (Verdict.NOISY, replace(summary, noisy=True)) if exhausted else (Verdict.MORE, summary)


def summarise(
    blocks: Sequence[Block],
    *,
    baseline_ms: float | None,
    rested_ms: float | None = None,
    discarded: int = 0,
    noisy: bool = False,
) -> LatencySummary:
    """Summary of these blocks. A pace of the reference that nobody knows is the one that it has now."""
    raw = np.array([np.median(block.candidate_ms) for block in blocks])
    reference = np.array([block.reference_ms for block in blocks])
    pace = float(np.median(reference))
    baseline = pace if baseline_ms is None else baseline_ms
    rested = pace if rested_ms is None else rested_ms
    found = fit(np.log(raw), np.log(reference / rested))
    low, value, high = np.exp([found.low, found.value, found.high]) * baseline / rested
    samples = np.concatenate([np.asarray(block.candidate_ms) for block in blocks])
    return LatencySummary(
        latency_ms=float(value),
        low_ms=float(low),
        high_ms=float(high),
        raw_latency_ms=float(np.median(raw)),
        p90_ms=float(np.percentile(samples, 90)),
        minimum_ms=float(samples.min()),
        reference_ms=pace,
        reference_ratio=pace / baseline,
        sensitivity=found.sensitivity,
        blocks=len(blocks),
        discarded=discarded,
        inferences=int(samples.size),
        noisy=noisy,
    )
