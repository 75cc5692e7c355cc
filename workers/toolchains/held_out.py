"""What decides between the calibrations of a trained network."""

from collections.abc import Callable
from dataclasses import dataclass

from paretofarm.labelled_images import LabelledImages
from workers.scored_images import Predictor, scores_of

Progress = Callable[[float], None]


@dataclass(frozen=True)
class HeldOut:
    """labelled: images that the network was neither trained nor calibrated on, nor will be scored on.

    on_progress: told the share of the whole compilation that is done.
    """

    labelled: LabelledImages
    on_progress: Progress

    def score(self, predictor: Predictor, on_progress: Progress) -> float:
        """The one that networks of the task are judged by."""
        return scores_of(predictor, self.labelled, on_progress).main(self.labelled.task)


def part(whole: Progress, start: float, end: float) -> Progress:
    """Progress of something that takes from one share of the whole to another."""
    return lambda share: whole(start + share * (end - start))
