"""Drawing architectures that were never tried."""

from collections.abc import Set as AbstractSet

import numpy as np

from paretofarm.architecture import Architecture
from paretofarm.search_space import SearchSpace

SAMPLES = 50
ENUMERABLE = 20_000


def sample_unseen(space: SearchSpace, seen: AbstractSet[str], rng: np.random.Generator) -> Architecture | None:
    """A random architecture whose digest is not in `seen`; None where there is none left.

    Samples first. A space of up to 20,000 that seems used up is enumerated; a greater one that gives 50 duplicates in
    a row counts as used up.
    """
    for _ in range(SAMPLES):
        architecture = space.sample(rng)
        if architecture.digest not in seen:
            return architecture
    if space.size() > ENUMERABLE:
        return None
    unseen = [architecture for architecture in space.enumerate() if architecture.digest not in seen]
    return unseen[int(rng.integers(len(unseen)))] if unseen else None
