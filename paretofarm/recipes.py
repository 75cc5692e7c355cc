"""Named sets of training settings. Keys written beside `recipe:` in an experiment file come before the recipe's.

Stored searches hold every key and the name, so that another value here changes none of them. A key that is added to a
recipe would: it is missing in what was stored before. Such a recipe needs a new name.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from paretofarm.task import Task

Recipe = Literal["archai", "strong"]

SEGMENTATION: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        # Archai's face segmentation, exactly: for comparison, and where settings start from.
        "archai": MappingProxyType(
            {
                "batch_size": 16,
                "learning_rate": 2e-4,
                "lr_schedule": "constant",
                "optimizer": "adam",
            }
        ),
        # What `python -m benchmarks.recipes` found best over ten networks; see docs/training.md.
        "strong": MappingProxyType(
            {
                "batch_size": 16,
                "learning_rate": 8e-3,
                "lr_schedule": "cosine",
                "warmup_epochs": 1.0,
                "optimizer": "adamw",
                "weight_decay": 0.05,
                "weight_decay_on": "kernels",
                "clip_gradients": 5.0,
                "ema_decay": 0.999,
                "class_weights": "inverse_sqrt",
                "augment": "mirror",
            }
        ),
    }
)


# Whether a mirrored image has the same class is known to whoever has the data, so no recipe mirrors.
CLASSIFICATION: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "archai": SEGMENTATION["archai"],
        "strong": MappingProxyType(
            {
                **SEGMENTATION["strong"],
                "batch_size": 32,
                "class_weights": "none",
                "label_smoothing": 0.1,
                "augment": "none",
            }
        ),
    }
)

RECIPES: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {Task.SEGMENTATION.value: SEGMENTATION, Task.CLASSIFICATION.value: CLASSIFICATION}
)
"""By `type:` of the training, then by name."""


def with_recipe(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with what its recipe says of the keys that it does not have; as it is where none is known."""
    kind, name = str(document.get("type")), str(document.get("recipe"))
    return {**RECIPES.get(kind, {}).get(name, {}), **document}
