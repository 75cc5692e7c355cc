"""The images that trained networks are scored on, on phones and in float32: drawn from the test split, which neither
training, validation nor calibration sees. Others, of the validation split, decide between calibrations."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from paretofarm.errors import ConversionFailed
from paretofarm.labelled_images import LabelledImages
from paretofarm.scores import Scores, count, score
from workers.datasets import Dataset, Split
from workers.memory import first_line
from workers.session import OnnxRuntimeErrors, infer, open_session
from workers.training.batches import spread

Predictor = Callable[[npt.NDArray[np.float32]], npt.NDArray[Any]]
"""An image [1, 3, H, W] to logits [1, classes, H, W], or [1, classes, 1, 1] of a classification."""


def scored_images(dataset: Dataset, wanted: int, part: Split = Split.TEST) -> LabelledImages:
    """`wanted` images, or as many as there are, spread evenly over the split, of a classification over each class: the
    same ones every time."""
    split = dataset.splits[part]
    indices = spread(split, wanted)
    return LabelledImages(
        class_names=dataset.class_names,
        ignore_index=dataset.ignore_index,
        images=split.images[indices].transpose(0, 3, 1, 2),
        labels=split.masks[indices],
        task=dataset.task,
    )


def float_scores(onnx: Path, labelled: LabelledImages, on_progress: Callable[[float], None]) -> Scores:
    """What the network scores before it is quantized. ConversionFailed where onnxruntime cannot run it."""
    try:
        session = open_session(onnx)
        return scores_of(lambda image: infer(session, image), labelled, on_progress)
    except OnnxRuntimeErrors as error:
        raise ConversionFailed(f"onnxruntime cannot run the trained network: {first_line(error)}") from error


def scores_of(predictor: Predictor, labelled: LabelledImages, on_progress: Callable[[float], None]) -> Scores:
    """What comes of these predictions, image by image. on_progress: told the share that is done."""
    classes = len(labelled.class_names)
    counts = np.zeros((classes, classes), np.int64)
    for index in range(len(labelled)):
        predictions = predictor(labelled.inputs(index, index + 1)).argmax(axis=1)
        labels = labelled.labels[index : index + 1]
        counts += count(labels, predictions, classes=classes, ignore_index=labelled.ignore_index)
        on_progress((index + 1) / len(labelled))
    return score(counts, labelled.class_names)
