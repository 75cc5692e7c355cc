"""A training as a file: to go on where it stopped, on whatever machine, as if it had never stopped."""

import os
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from paretofarm.errors import ArtifactMissing

FORMAT = 2
READABLE = (1, FORMAT)
"""Before 2 there were neither averaged weights nor a course."""


@dataclass(frozen=True)
class Checkpoint:
    """State after `epoch` whole epochs of the training seeded with `seed`; tensors and plain values only.

    average: the averaged network, where there is one. course: the score on the validation split after each epoch.
    """

    epoch: int
    seed: int
    network: dict[str, Any]
    optimizer: dict[str, Any]
    scaler: dict[str, Any]
    average: dict[str, Any] | None = None
    course: tuple[float, ...] = ()

    @property
    def trained(self) -> dict[str, Any]:
        """State of the network that was scored."""
        return self.network if self.average is None else self.average


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Writes atomically: the name never holds half a checkpoint."""
    partial = path.with_name(f"{path.name}.part")
    with partial.open("wb") as file:
        torch.save({"format": FORMAT, **vars(checkpoint)}, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load_checkpoint(path: Path, device: torch.device) -> Checkpoint:
    """Reads without running any code that the file may hold. `ArtifactMissing` where it is no whole checkpoint."""
    try:
        document = torch.load(path, map_location=device, weights_only=True)
        if document.pop("format") not in READABLE:
            raise ArtifactMissing(f"{path}: a checkpoint of another version of paretofarm")
        return Checkpoint(**document)
    except (OSError, RuntimeError, UnpicklingError, EOFError, AttributeError, KeyError, TypeError) as error:
        raise ArtifactMissing(f"{path}: not a readable checkpoint: {str(error).splitlines()[0:1]}") from error


def load_trained(network: torch.nn.Module, path: Path) -> None:
    """Gives the network the weights that a training ended with. `ArtifactMissing` where they are another network's."""
    try:
        network.load_state_dict(load_checkpoint(path, torch.device("cpu")).trained)
    except RuntimeError as error:
        raise ArtifactMissing(f"{path}: a checkpoint of another network") from error
