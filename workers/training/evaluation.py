"""Scores of a network over a whole split."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from paretofarm.scores import Scores
from workers.datasets import ImageMaskArrays
from workers.training.batches import Batches, in_order
from workers.training.confusion import ConfusionMatrix
from workers.training.resident import ResidentSplit


@dataclass(frozen=True)
class Evaluation:
    """loss: mean cross-entropy of all labelled pixels."""

    loss: float
    scores: Scores


def evaluate(
    network: nn.Module,
    split: ImageMaskArrays | ResidentSplit,
    class_names: Sequence[str],
    *,
    ignore_index: int,
    batch_size: int,
    device: torch.device,
) -> Evaluation:
    """Puts the network into eval mode and back. Full precision, every image once."""
    confusion = ConfusionMatrix(len(class_names), ignore_index=ignore_index, device=device)
    total = torch.zeros((), dtype=torch.float64, device=device)
    was_training = network.training
    network.eval()
    with torch.inference_mode():
        for images, labels in Batches(split, batch_size, device).read(in_order(len(split), batch_size)):
            logits = network(images)
            total += functional.cross_entropy(logits, labels, ignore_index=ignore_index, reduction="sum")
            confusion.add(labels, logits.argmax(dim=1))
    network.train(was_training)
    labelled = max(1, int(confusion.counts.sum()))
    return Evaluation(float(total) / labelled, confusion.scores(class_names))
