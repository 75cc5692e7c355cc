"""Images with their classes, as one file that goes from whoever has the data set to an agent.

The same images give the same bytes on any machine, so that the artifact store keeps them once per data set.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paretofarm.task import Task

FORMAT = 1


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """images uint8 [N, 3, H, W] (RGB); labels uint8: class ids, where `ignore_index` counts nowhere, [N, H, W] of a
    segmentation, [N, 1, 1] of a classification."""

    class_names: tuple[str, ...]
    ignore_index: int
    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    task: Task = Task.SEGMENTATION

    def __len__(self) -> int:
        return len(self.images)

    @property
    def logits_shape(self) -> tuple[int, int, int]:
        """Of what a network says of one image."""
        _, rows, columns = self.labels.shape
        return len(self.class_names), rows, columns

    def inputs(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        """Images `start` to `stop` as every network takes them: float32 in [0, 1], with the arithmetic of trainings."""
        return self.images[start:stop].astype(np.float32) * np.float32(1 / 255)


def encode(labelled: LabelledImages) -> Iterator[bytes]:
    """A line of JSON, then the images' bytes, then the labels'."""
    header = {
        "format": FORMAT,
        "class_names": labelled.class_names,
        "ignore_index": labelled.ignore_index,
        "shape": labelled.images.shape,
        # Not said of segmentations, whose files then have the bytes that they had before there was anything else.
        **({} if labelled.task is Task.SEGMENTATION else {"task": labelled.task}),
    }
    yield json.dumps(header, sort_keys=True).encode() + b"\n"
    for array in (labelled.images, labelled.labels):
        for each in array:
            yield np.ascontiguousarray(each).tobytes()


def decode(content: bytes | memoryview) -> LabelledImages:
    """What `encode` wrote; its arrays are views of `content`. ValueError where it is anything else."""
    view = memoryview(content)
    length = bytes(view[: 1 << 20]).index(b"\n") + 1
    header = json.loads(bytes(view[:length]))
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError(f"labelled images of an unknown format, not {FORMAT}")
    count, channels, height, width = (int(extent) for extent in header["shape"])
    images = np.frombuffer(view, np.uint8, count * channels * height * width, length)
    task = Task(header.get("task", Task.SEGMENTATION))
    rows, columns = task.label_shape(height, width)
    labels = np.frombuffer(view, np.uint8, count * rows * columns, length + images.size)
    return LabelledImages(
        class_names=tuple(header["class_names"]),
        ignore_index=int(header["ignore_index"]),
        images=images.reshape(count, channels, height, width),
        labels=labels.reshape(count, rows, columns),
        task=task,
    )
