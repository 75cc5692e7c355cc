"""How far a network's score on a test set has come: what the next attempt goes on from."""

import base64
import json
import zlib
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

Tallies = npt.NDArray[np.int64]
"""A tally (`paretofarm.scores`) of each image, shape [images, classes, 3]."""
STORED = np.dtype("<i4")


@dataclass(frozen=True, eq=False)
class PartialScores:
    """What was counted over the first images of a test set; network, test_set: SHA-256 of what was run on what."""

    network: str
    test_set: str
    tallies: Tallies

    @classmethod
    def none_yet(cls, network: str, test_set: str, classes: int) -> Self:
        return cls(network, test_set, np.zeros((0, classes, 3), np.int64))

    @property
    def images(self) -> int:
        return len(self.tallies)

    def plus(self, tallies: Tallies) -> "PartialScores":
        """With the next images."""
        return replace(self, tallies=np.concatenate([self.tallies, tallies]))

    def continues(self, fresh: "PartialScores") -> bool:
        """Whether it is about the same network and test set, so that what it counted is as good as new."""
        return (self.network, self.test_set, self.tallies.shape[1:]) == (
            fresh.network,
            fresh.test_set,
            fresh.tallies.shape[1:],
        )

    def to_json(self) -> bytes:
        """Packed: a test set may have ten thousand images, and most numbers are small."""
        packed = base64.b64encode(zlib.compress(self.tallies.astype(STORED).tobytes())).decode()
        document = {"network": self.network, "test_set": self.test_set, "shape": self.tallies.shape, "tallies": packed}
        return json.dumps(document, sort_keys=True).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """ValueError where it is not what `to_json` wrote."""
        document = json.loads(content)
        try:
            numbers = np.frombuffer(zlib.decompress(base64.b64decode(document["tallies"], validate=True)), STORED)
            tallies = numbers.reshape(document["shape"]).astype(np.int64)
            partial = cls(str(document["network"]), str(document["test_set"]), tallies)
        except (KeyError, TypeError, zlib.error) as error:
            raise ValueError(f"no partial scores: {error}") from error
        if tallies.ndim != 3 or tallies.shape[2] != 3 or (tallies < 0).any():
            raise ValueError("no partial scores: what was counted are no pixels of classes")
        return partial
