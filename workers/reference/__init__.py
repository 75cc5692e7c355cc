"""The reference network that phones time between blocks, in float32: what toolchains compile for a device class.

Made by `python -m workers.reference_network`; its file is part of the product, so that it is the same everywhere.
"""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

SHAPE = (1, 3, 192, 192)
IMAGES = 8
SEED = 20261121


def reference_onnx() -> Path:
    """The network as `workers.export` writes it."""
    return Path(str(files(__name__).joinpath("reference.onnx")))


def reference_images() -> Iterator[npt.NDArray[np.float32]]:
    """What it is calibrated on: noise, always the same. It need not know anything, its pace is all that counts."""
    yield from np.random.default_rng(SEED).random((IMAGES, *SHAPE), dtype=np.float32)
