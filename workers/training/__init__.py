"""Training of networks: `loop.train` is the whole of the train task but for the database."""

from workers.training.confusion import ConfusionMatrix
from workers.training.loop import train
from workers.training.result import EpochMetrics, TrainingResult

__all__ = ["ConfusionMatrix", "EpochMetrics", "TrainingResult", "train"]
