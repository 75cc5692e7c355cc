"""Latencies out of a table, behind the port of a phone that is measured: what runs on it is the real protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device_agents.runtimes.port import BlockTimes, Images, InstalledNetwork, Logits
from paretofarm.errors import ConfigError, NotDeployable
from paretofarm.ports import DeviceLink
from paretofarm.runtimes import TabularMeasurement


@dataclass(frozen=True)
class TabularRuntime:
    """latencies_ms: of networks, by the name of their folder. rng: of the scatter."""

    settings: TabularMeasurement
    latencies_ms: Mapping[str, float]
    rng: np.random.Generator

    def prepare(self, link: DeviceLink) -> str:
        return "a table, simulated"

    def files(self, compiled: Path, folder: Path) -> Mapping[str, Path]:
        return {}

    def time_block(
        self, link: DeviceLink, network: InstalledNetwork, *, folder: str, inferences: int, watch_memory: bool = False
    ) -> BlockTimes:
        """There is neither a warm-up in a table nor memory."""
        latency_ms = self.latencies_ms.get(network.folder)
        if latency_ms is None:
            raise NotDeployable(f"the table knows no latency of {network.folder}")
        scatter = np.exp(self.rng.normal(0.0, self.settings.noise, inferences)) if self.settings.noise else 1.0
        return BlockTimes(tuple((latency_ms * scatter * np.ones(inferences)).tolist()))

    def infer(self, link: DeviceLink, network: InstalledNetwork, images: Images, *, folder: str) -> Logits:
        raise ConfigError("a table computes nothing: it has no networks")

    def reference(self) -> Path | None:
        return None
