"""What becomes of a search's best networks when it is over: the `final:` part of an experiment file.

Archai's last step: of the candidates, which were all trained for a moment only, those on the front are trained to the
end, quantized from their trained weights, measured again and scored on the device.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from paretofarm.recipes import Recipe
from paretofarm.strict import Strict
from paretofarm.training import NetworkTraining

SUFFIX = "-final"


class Final(Strict):
    """How a search is finished, by a search of its own, NAME-final, over nothing but the chosen networks.

    members: all on the front, or so many of the best. epochs: of the whole training, which starts anew. recipe: a named
    set of training settings; `search`: those that the search trained with. training: keys of `training:` that come
    before the recipe's, such as `distillation` or `quantization_aware`.
    """

    members: Literal["front"] | Annotated[int, Field(ge=1, le=1000)] = "front"
    epochs: int = Field(30, ge=1, le=10_000)
    recipe: Literal[Recipe, "search"] = "strong"
    training: Mapping[str, Any] = Field(default_factory=dict)

    def training_after(self, search: NetworkTraining) -> NetworkTraining:
        """ValueError names the key that is wrong."""
        fixed = {"type", "dataset", "epochs"} & self.training.keys()
        if fixed:
            raise ValueError(f"final.training: {', '.join(sorted(fixed))}: not to be said here")
        base = search.model_dump(mode="json") if self.recipe == "search" else _of_recipe(self.recipe, search)
        return type(search).model_validate({**base, **self.training, "epochs": [self.epochs]})


def _of_recipe(recipe: str, search: NetworkTraining) -> dict[str, Any]:
    return {"type": search.type, "dataset": search.dataset.model_dump(mode="json"), "recipe": recipe}
