"""What a training tells about itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from paretofarm.scores import ClassScores
from workers.memory_needs import PeakMemory


@dataclass(frozen=True)
class EpochMetrics:
    """After `epoch` epochs (from 1): mean loss while training; `metrics` over the whole validation split.

    memory: of a GPU, so far.
    """

    epoch: int
    train_loss: float
    metrics: Mapping[str, float]
    seconds: float = field(compare=False)
    memory: PeakMemory | None = field(default=None, compare=False)


@dataclass(frozen=True)
class TrainingResult:
    """metrics and per_class after the last epoch; epochs: those trained by this call; epochs_total: in all.

    micro_batch: images that went through the network at a time, in the end; the batch size, where that fitted.
    memory: of a GPU, over this call; None on a CPU, where a process' memory is mostly what it shares with others.
    """

    metrics: Mapping[str, float]
    per_class: Mapping[str, ClassScores | None]
    epochs: tuple[EpochMetrics, ...]
    epochs_total: int
    micro_batch: int
    memory: PeakMemory | None = field(default=None, compare=False)
