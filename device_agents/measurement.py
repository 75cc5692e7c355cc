"""Measures one network on one phone: its blocks between blocks of a reference network, until `latency` is content."""

import math
import statistics
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from device_agents.runtimes import BlockTimes, DeviceRuntime, InstalledNetwork
from paretofarm.latency import Block, LatencySummary, Verdict, judge
from paretofarm.measurement import MeasurementProtocol
from paretofarm.ports import DeviceLink

PROBE_INFERENCES = 5
LONGEST_BLOCK_S = 240.0
"""SNPE's and other runners' limits for one run are 300 s and more."""
REST_S = 10.0
RESTED_SHIFT = 0.03
"""A phone is at rest while it runs the reference no more than this slower than usual."""


@dataclass(frozen=True)
class Measured:
    """What one measurement gave: the numbers, the samples that they come from, and what else its runs told.

    times: of the candidate, the first after the push first. rested_s: waited for the phone to come to rest.
    """

    summary: LatencySummary
    blocks: tuple[Block, ...]
    inferences_per_block: int
    times: tuple[BlockTimes, ...]
    rested_s: float = 0.0


@dataclass(frozen=True)
class Measurement:
    """One phone with both networks on it, and the protocol to follow.

    disturbance: called after every block; what made it worthless (throttling, a plug pulled), or None. rest: lets so
    many seconds pass; None for a phone that does not recover by itself, as others work on its processor: what they slow
    is then corrected from block to block alone. watching: around every block of the candidate.
    """

    link: DeviceLink
    runtime: DeviceRuntime
    settings: MeasurementProtocol
    network: InstalledNetwork
    reference: InstalledNetwork
    folder: str
    disturbance: Callable[[], str | None]
    rest: Callable[[float], None] | None = None
    watching: Callable[[], AbstractContextManager[None]] = nullcontext

    def run(self, baseline_ms: float, usual_ms: float, on_progress: Callable[[float], None]) -> Measured:
        """Blocks until the interval is narrow enough or the protocol's limit is reached.

        baseline_ms: the reference's pace on this device class when it was first measured; usual_ms: on this phone of
        late.
        """
        times = [self._time(self.network, PROBE_INFERENCES, watch_memory=True)]
        candidate_inferences = self._block_length(min(times[0].samples_ms))
        pacer = _Pacer(self, self._block_length(baseline_ms), usual_ms)
        blocks: list[Block] = []
        before = pacer.at_rest(pacer.time())
        verdict, summary = Verdict.MORE, None
        while verdict is Verdict.MORE:
            with self.watching():
                times.append(self._time(self.network, candidate_inferences))
            after = pacer.time()
            blocks.append(Block(before.samples_ms, times[-1].samples_ms, after.samples_ms, self.disturbance()))
            verdict, summary = self._judge(blocks, baseline_ms, usual_ms)
            on_progress(min(1.0, len(blocks) / self.settings.min_blocks))
            before = pacer.at_rest(after) if verdict is Verdict.MORE else after
        assert summary is not None, "a verdict other than MORE comes with a summary"
        return Measured(summary, tuple(blocks), candidate_inferences, tuple(times), pacer.rested_s)

    def time_candidate(self, inferences: int) -> BlockTimes:
        """So many inferences of the candidate alone."""
        return self._time(self.network, inferences)

    def reference_pace_ms(self) -> float:
        """Median of `min_blocks` blocks of the reference alone."""
        inferences = self._block_length(min(self._time(self.reference, PROBE_INFERENCES).samples_ms))
        blocks = [self._time(self.reference, inferences) for _ in range(self.settings.min_blocks)]
        return statistics.median(statistics.median(block.samples_ms) for block in blocks)

    def _judge(self, blocks: list[Block], baseline_ms: float, usual_ms: float) -> tuple[Verdict, LatencySummary | None]:
        return judge(
            blocks,
            baseline_ms=baseline_ms,
            usual_ms=usual_ms,
            rested_ms=None if self.rest is None else usual_ms,
            max_reference_shift=self.settings.max_reference_shift,
            max_relative_ci=self.settings.max_relative_ci,
            min_blocks=self.settings.min_blocks,
            max_blocks=self.settings.max_blocks,
        )

    def _block_length(self, pace_ms: float) -> int:
        """Inferences that fill `min_block_s` at that pace, and at least `min_inferences`; no more than fit in
        `LONGEST_BLOCK_S`, for a block that takes longer than its limit is taken to hang.
        """
        wanted = max(self.settings.min_inferences, math.ceil(self.settings.min_block_s / (pace_ms / 1e3)))
        return min(wanted, max(PROBE_INFERENCES, math.floor(LONGEST_BLOCK_S / (pace_ms / 1e3))))

    def _time(self, network: InstalledNetwork, inferences: int, *, watch_memory: bool = False) -> BlockTimes:
        return self.runtime.time_block(
            self.link, network, folder=self.folder, inferences=inferences, watch_memory=watch_memory
        )


class _Pacer:
    """The reference's side of a measurement: its blocks, and the waiting while they say that the phone is not at rest.

    rested_s: waited so far, `max_rest_s` at most; a phone that is slow for another reason is measured as it is.
    """

    def __init__(self, measurement: Measurement, inferences: int, usual_ms: float) -> None:
        self.rested_s = 0.0
        self._measurement = measurement
        self._inferences = inferences
        self._usual_ms = usual_ms

    def time(self) -> BlockTimes:
        return self._measurement._time(self._measurement.reference, self._inferences)

    def at_rest(self, last: BlockTimes) -> BlockTimes:
        """The last block of the reference before the next one of the candidate; `last` where nothing is to be waited
        for."""
        rest, left_s = self._measurement.rest, self._measurement.settings.max_rest_s - self.rested_s
        if rest is None or left_s < REST_S or statistics.median(last.samples_ms) <= (1 + RESTED_SHIFT) * self._usual_ms:
            return last
        rest(REST_S)
        self.rested_s += REST_S
        return self.at_rest(self.time())
