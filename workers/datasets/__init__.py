"""Labelled images: readers by kind of folder (`registry.py`), one decoded cache per host (`cache.py`), generators."""

from workers.datasets.cache import open_dataset
from workers.datasets.dataset import IGNORE_INDEX, Dataset, ImageMaskArrays, Split
from workers.datasets.registry import class_names

__all__ = ["IGNORE_INDEX", "Dataset", "ImageMaskArrays", "Split", "class_names", "open_dataset"]
