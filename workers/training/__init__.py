"""Training of networks: `segmentation.train` is the whole of the train task but for the database."""

from workers.training.confusion import ClassScores, ConfusionMatrix
from workers.training.result import EpochMetrics, TrainingResult
from workers.training.segmentation import train

__all__ = ["ClassScores", "ConfusionMatrix", "EpochMetrics", "TrainingResult", "train"]
