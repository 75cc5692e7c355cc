"""Measures one network on one phone: its blocks between blocks of a reference network, until `latency` is content."""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from device_agents.runtimes import BlockTimes, DeviceRuntime, InstalledNetwork
from paretofarm.latency import Block, LatencySummary, Verdict, judge
from paretofarm.measurement import MeasurementProtocol
from paretofarm.ports import DeviceLink

PROBE_INFERENCES = 5


@dataclass(frozen=True)
class Measured:
    """What one measurement gave: the numbers, and the samples that they come from."""

    summary: LatencySummary
    blocks: tuple[Block, ...]
    inferences_per_block: int


@dataclass(frozen=True)
class Measurement:
    """One phone with both networks on it, and the protocol to follow.

    disturbance: called after every block; what made it worthless (throttling, a plug pulled), or None.
    """

    link: DeviceLink
    runtime: DeviceRuntime
    settings: MeasurementProtocol
    network: InstalledNetwork
    reference: InstalledNetwork
    folder: str
    disturbance: Callable[[], str | None]

    def run(self, baseline_ms: float, usual_ms: float, on_progress: Callable[[float], None]) -> Measured:
        """Blocks until the interval is narrow enough or the protocol's limit is reached.

        baseline_ms: the reference's pace on this device class when it was first measured; usual_ms: on this phone of
        late.
        """
        candidate_inferences = self._block_length(self._probe_ms(self.network))
        reference_inferences = self._block_length(baseline_ms)
        blocks: list[Block] = []
        before = self._time(self.reference, reference_inferences)
        verdict, summary = Verdict.MORE, None
        while verdict is Verdict.MORE:
            candidate = self._time(self.network, candidate_inferences)
            after = self._time(self.reference, reference_inferences)
            blocks.append(Block(before.samples_ms, candidate.samples_ms, after.samples_ms, self.disturbance()))
            before = after
            verdict, summary = self._judge(blocks, baseline_ms, usual_ms)
            on_progress(min(1.0, len(blocks) / self.settings.min_blocks))
        assert summary is not None, "a verdict other than MORE comes with a summary"
        return Measured(summary, tuple(blocks), candidate_inferences)

    def reference_pace_ms(self) -> float:
        """Median of `min_blocks` blocks of the reference alone."""
        inferences = self._block_length(self._probe_ms(self.reference))
        blocks = [self._time(self.reference, inferences) for _ in range(self.settings.min_blocks)]
        return statistics.median(statistics.median(block.samples_ms) for block in blocks)

    def _judge(self, blocks: list[Block], baseline_ms: float, usual_ms: float) -> tuple[Verdict, LatencySummary | None]:
        return judge(
            blocks,
            baseline_ms=baseline_ms,
            usual_ms=usual_ms,
            max_reference_shift=self.settings.max_reference_shift,
            max_relative_ci=self.settings.max_relative_ci,
            min_blocks=self.settings.min_blocks,
            max_blocks=self.settings.max_blocks,
        )

    def _block_length(self, pace_ms: float) -> int:
        """Inferences that fill `min_block_s` at that pace, and at least `min_inferences`."""
        return max(self.settings.min_inferences, math.ceil(self.settings.min_block_s / (pace_ms / 1e3)))

    def _probe_ms(self, network: InstalledNetwork) -> float:
        """A first idea of a network's pace, from a few inferences."""
        return min(self._time(network, PROBE_INFERENCES).samples_ms)

    def _time(self, network: InstalledNetwork, inferences: int) -> BlockTimes:
        return self.runtime.time_block(self.link, network, folder=self.folder, inferences=inferences)
