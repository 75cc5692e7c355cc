"""What a device runtime is: one file here that knows how to run a network on a phone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from paretofarm.ports import DeviceLink

Images = npt.NDArray[np.float32]
"""Inputs [N, 3, H, W] in [0, 1], as the float network takes them."""
Logits = npt.NDArray[np.float32]
"""Outputs [N, C, H, W], as the float network gives them."""


@dataclass(frozen=True)
class InstalledNetwork:
    """A compiled network that lies on a phone. local: as the toolchain left it; folder: of its files on the phone.

    output: shape [C, H, W] of its outputs, where whoever has it knows; some runners hand out plain numbers.
    """

    local: Path
    folder: str
    output: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class BlockTimes:
    """What one block of inferences gave.

    samples_ms: one of each inference or, where the runner tells no more, its average over the block. layers_ms: the
    same time as seen from further inside (RPC, accelerator), by the runner's own names. load_ms: until the network was
    ready. peak_memory_bytes: of the runner's process, and the network's own size where it is an accelerator that
    holds it. form: in which of its forms the network ran, where the phone refused the first.
    """

    samples_ms: tuple[float, ...]
    layers_ms: Mapping[str, float] = field(default_factory=dict)
    load_ms: float | None = None
    peak_memory_bytes: int | None = None
    form: str | None = None


class DeviceRuntime(Protocol):
    """Runs one network that lies on the phone, under the settings of one experiment. Stateless.

    Errors: `NotDeployable` (the network's fault: the runner refuses it), `PhoneOffline`, `AdbTimeout` and the other
    `Unavailable` ones (the phone's fault), `ConfigError` (the runner itself is missing: the operator's).
    """

    def prepare(self, link: DeviceLink) -> str:
        """Puts the runner on the phone where it is not there yet; returns its version for the record."""

    def files(self, compiled: Path, folder: Path) -> Mapping[str, Path]:
        """What of a compiled network has to lie on the phone, by its name there. `folder` is for what is made of it."""

    def time_block(
        self, link: DeviceLink, network: InstalledNetwork, *, folder: str, inferences: int, watch_memory: bool = False
    ) -> BlockTimes:
        """Times `inferences` inferences of the network, after the warm-up.

        Input data is generated. `folder` is a remote folder of this job alone. watch_memory: the runner's peak memory
        is read on the phone where the runner does not tell it; the times of such a block do not count.
        """

    def infer(self, link: DeviceLink, network: InstalledNetwork, images: Images, *, folder: str) -> Logits:
        """The network's outputs for these inputs, computed on the phone. `folder` as above.

        `ConfigError` where the runner has no way to hand them out.
        """

    def reference(self) -> Path | None:
        """The local file of the reference network in the form that this runtime runs.

        None: it depends on the device class, so the toolchain has left one beside the candidate's network.
        """
