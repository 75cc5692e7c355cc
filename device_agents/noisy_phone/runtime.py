"""The noisy phone as a device runtime."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from device_agents.noisy_phone.phone import Network, NoisyPhone
from device_agents.runtimes import BlockTimes, Images, InstalledNetwork, Logits
from paretofarm.errors import ConfigError, NotDeployable
from paretofarm.measurement import MeasurementProtocol
from paretofarm.ports import DeviceLink

START_S = 0.4
"""To start a runner over ADB and load a network."""
LOAD_MS = 80.0
NO_LINK = cast(DeviceLink, None)
"""There is nothing to connect to, and the runtime does not look at it."""


@dataclass(frozen=True)
class NoisyRuntime:
    """Runs networks of `networks`, which are known by the name of their folder."""

    phone: NoisyPhone
    settings: MeasurementProtocol
    networks: Mapping[str, Network]

    def prepare(self, link: DeviceLink) -> str:
        return "noisy phone"

    def files(self, compiled: Path, folder: Path) -> Mapping[str, Path]:
        return {compiled.name: compiled}

    def time_block(
        self, link: DeviceLink, network: InstalledNetwork, *, folder: str, inferences: int, watch_memory: bool = False
    ) -> BlockTimes:
        if network.folder not in self.networks:
            raise NotDeployable(f"the noisy phone has no network {network.folder}")
        self.phone.idle(START_S)
        warmup = self.settings.warmup_inferences
        samples = self.phone.run(self.networks[network.folder], warmup + inferences)[warmup:]
        return BlockTimes(samples, load_ms=LOAD_MS)

    def infer(self, link: DeviceLink, network: InstalledNetwork, images: Images, *, folder: str) -> Logits:
        raise ConfigError("the noisy phone computes nothing")

    def reference(self) -> Path | None:
        return None
