"""Named sets of training settings. Keys written beside `recipe:` in an experiment file come before the recipe's.

Stored searches hold every key and the name, so that another value here changes none of them. A key that is added to a
recipe would: it is missing in what was stored before. Such a recipe needs a new name.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

Recipe = Literal["archai", "strong"]

RECIPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
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


def with_recipe(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with what its recipe says of the keys that it does not have; as it is where none is known."""
    name = document.get("recipe")
    recipe = RECIPES.get(name, {}) if isinstance(name, str) else {}
    return {**recipe, **document}
