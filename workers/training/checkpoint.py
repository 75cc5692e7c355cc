"""A training as a file: to go on where it stopped, on whatever machine, as if it had never stopped."""

import os
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from paretofarm.errors import ArtifactMissing

FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """State after `epoch` whole epochs of the training seeded with `seed`; tensors and plain values only."""

    epoch: int
    seed: int
    network: dict[str, Any]
    optimizer: dict[str, Any]
    scaler: dict[str, Any]


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
        if document.pop("format") != FORMAT:
            raise ArtifactMissing(f"{path}: a checkpoint of another version of paretofarm")
        return Checkpoint(**document)
    except (OSError, RuntimeError, UnpicklingError, EOFError, AttributeError, KeyError, TypeError) as error:
        raise ArtifactMissing(f"{path}: not a readable checkpoint: {str(error).splitlines()[0:1]}") from error
