"""A trained network on the phone, and the labelled images that it is scored on."""

import mmap
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device_agents.runtimes import DeviceRuntime, InstalledNetwork, Logits
from paretofarm.errors import ArtifactMissing, NotDeployable
from paretofarm.labelled_images import LabelledImages, decode
from paretofarm.partial_scores import Tallies
from paretofarm.ports import DeviceLink
from paretofarm.scores import count, tally


@dataclass(frozen=True)
class ScoredNetwork:
    """What goes through the phone is images `start` to `stop`; `folder`: remote, of that batch alone."""

    runtime: DeviceRuntime
    network: InstalledNetwork
    labelled: LabelledImages

    def tallies(self, link: DeviceLink, start: int, stop: int, *, folder: str) -> Tallies:
        """Of each of these images. NotDeployable where the outputs are none that could be scored."""
        labelled = self.labelled
        logits = self.runtime.infer(link, self.network, labelled.inputs(start, stop), folder=folder)
        self._check(logits, stop - start)
        pairs = zip(labelled.labels[start:stop], logits.argmax(axis=1), strict=True)
        settings = {"classes": len(labelled.class_names), "ignore_index": labelled.ignore_index}
        return np.stack([tally(count(labels, predictions, **settings)) for labels, predictions in pairs])

    def _check(self, logits: Logits, images: int) -> None:
        expected = (images, *self.labelled.logits_shape)
        if logits.shape != expected:
            raise NotDeployable(f"on the phone the network gives outputs of shape {logits.shape}, not {expected}")
        if not np.isfinite(logits).all():
            raise NotDeployable("on the phone the network gives outputs that are no numbers")


def mapped(path: Path) -> LabelledImages:
    """A test set without reading all of it into memory. ArtifactMissing where it is of another version."""
    with path.open("rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        # Unmapped with the last array that looks into it.
        return decode(memoryview(content))
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactMissing(f"the test set {path.name} cannot be read: {error}") from error
