"""How far a network's score on a test set has come: what the next attempt goes on from."""

import json
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from paretofarm.segmentation_scores import Counts


@dataclass(frozen=True, eq=False)
class PartialScores:
    """Pixels counted over the first `images` of a test set; network, test_set: SHA-256 of what was run on what."""

    network: str
    test_set: str
    images: int
    counts: Counts

    @classmethod
    def none_yet(cls, network: str, test_set: str, classes: int) -> Self:
        return cls(network, test_set, 0, np.zeros((classes, classes), np.int64))

    def plus(self, images: int, counts: Counts) -> "PartialScores":
        """With that many more images."""
        return replace(self, images=self.images + images, counts=self.counts + counts)

    def continues(self, fresh: "PartialScores") -> bool:
        """Whether it is about the same network and test set, so that its counts are as good as new ones."""
        return (self.network, self.test_set, self.counts.shape) == (fresh.network, fresh.test_set, fresh.counts.shape)

    def to_json(self) -> bytes:
        document = {"network": self.network, "test_set": self.test_set, "images": self.images}
        return json.dumps({**document, "counts": self.counts.tolist()}, sort_keys=True).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """ValueError where it is not what `to_json` wrote."""
        document = json.loads(content)
        try:
            counts = np.array(document["counts"], dtype=np.int64)
            partial = cls(str(document["network"]), str(document["test_set"]), int(document["images"]), counts)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no partial scores: {error}") from error
        if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or (counts < 0).any() or partial.images < 0:
            raise ValueError("no partial scores: the counts make no confusion matrix")
        return partial
