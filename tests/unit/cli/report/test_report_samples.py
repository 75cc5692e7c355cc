"""Which images a report shows."""

import numpy as np
import pytest

from cli.report.samples import IMAGES, shown_images
from paretofarm.labelled_images import LabelledImages
from paretofarm.task import Task


def labelled(count: int, classes: int, task: Task) -> LabelledImages:
    labels = (np.arange(count) % classes).astype(np.uint8).reshape(count, 1, 1)
    names = tuple(f"class {number}" for number in range(classes))
    return LabelledImages(names, 255, np.zeros((count, 3, 1, 1), np.uint8), labels, task)


@pytest.mark.parametrize(("count", "classes"), [(23, 2), (45, 4), (133, 12)])
def test_of_classes_that_come_in_turn_all_are_shown(count: int, classes: int) -> None:
    images = labelled(count, classes, Task.CLASSIFICATION)
    shown = shown_images(images)
    assert len(shown) == IMAGES[Task.CLASSIFICATION]
    assert set(images.labels[shown].ravel()) == set(range(classes))


def test_of_masks_the_first_and_the_last_are_among_those_shown() -> None:
    assert shown_images(labelled(200, 2, Task.SEGMENTATION)) == [0, 66, 133, 199]
