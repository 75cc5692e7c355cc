"""Training of networks: `segmentation.train` is the whole of the train task but for the database."""

from workers.training.confusion import ConfusionMatrix
from workers.training.result import EpochMetrics, TrainingResult
from workers.training.segmentation import train

__all__ = ["ConfusionMatrix", "EpochMetrics", "TrainingResult", "train"]
