"""What a device runtime is: one file here that knows how to time a network on a phone."""

from pathlib import Path
from typing import Protocol

from paretofarm.measurement import MeasurementSettings
from paretofarm.ports import DeviceLink


class DeviceRuntime(Protocol):
    """Times one network that lies on the phone. Stateless: everything it needs comes in.

    Errors: `NotDeployable` (the network's fault: the runner refuses it), `PhoneOffline`, `AdbTimeout` and the other
    `Unavailable` ones (the phone's fault), `ConfigError` (the runner itself is missing: the operator's).
    """

    def prepare(self, link: DeviceLink) -> str:
        """Puts the runner on the phone where it is not there yet; returns its version for the record."""

    def time_block(
        self, link: DeviceLink, network: str, *, folder: str, inferences: int, settings: MeasurementSettings
    ) -> tuple[float, ...]:
        """Milliseconds of each of `inferences` inferences of the network at a remote path, after the warm-up.

        Input data is generated on the phone. `folder` is a remote folder of this job alone.
        """

    def reference(self) -> Path:
        """The local file of the reference network, in the form that this runtime runs."""
