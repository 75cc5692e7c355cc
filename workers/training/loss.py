"""What a network is trained to make small."""

import torch
from torch import nn
from torch.nn import functional

from paretofarm.training import NetworkTraining
from workers.datasets import Dataset, Split
from workers.training.class_weights import inverse_sqrt_weights


class LabelLoss:
    """Cross-entropy with the labels and, where there is a teacher, divergence from what it says.

    Both are means over the labelled pixels of a batch; 0, not NaN, where it has none.
    """

    def __init__(
        self, dataset: Dataset, settings: NetworkTraining, teacher: nn.Module | None, device: torch.device
    ) -> None:
        self._ignored = dataset.ignore_index
        self._smoothing = settings.label_smoothing
        self._weights = _class_weights(dataset, settings, device)
        self._distillation = settings.distillation
        self._teacher = _prepared(teacher, device) if teacher is not None and settings.distillation else None

    def ask_teacher(self, images: torch.Tensor) -> torch.Tensor | None:
        """Its logits; None where there is none."""
        if self._teacher is None:
            return None
        with torch.no_grad():
            taught: torch.Tensor = self._teacher(images)
            return taught

    def count(self, labels: torch.Tensor) -> torch.Tensor:
        """Labelled pixels of a batch, to divide by: at least 1."""
        return (labels != self._ignored).sum().clamp(min=1)

    def __call__(
        self, logits: torch.Tensor, labels: torch.Tensor, taught: torch.Tensor | None, count: torch.Tensor
    ) -> torch.Tensor:
        """logits float32 [N, classes, H, W], labels [N, H, W], what the teacher says of the same images.

        count: of the whole batch; these may be a part of it, and the losses of all parts add up to the batch's. Of a
        classification H and W are 1.
        """
        total = functional.cross_entropy(
            logits,
            labels,
            weight=self._weights,
            ignore_index=self._ignored,
            label_smoothing=self._smoothing,
            reduction="sum",
        )
        loss = total / count
        if taught is None or self._distillation is None:
            return loss
        apart = divergence(logits, taught.float(), self._distillation.temperature)
        share = self._distillation.weight
        return (1 - share) * loss + share * (apart * self._pixel_weights(labels)).sum() / count

    def _pixel_weights(self, labels: torch.Tensor) -> torch.Tensor:
        """What each pixel counts: the same for the teacher as for the labels, else the large classes drown the rest."""
        labelled = labels != self._ignored
        if self._weights is None:
            return labelled.float()
        return self._weights[torch.where(labelled, labels, 0)] * labelled


def divergence(logits: torch.Tensor, taught: torch.Tensor, temperature: float) -> torch.Tensor:
    """T² times the Kullback-Leibler divergence of the student from its teacher, both softened by the temperature T, at
    each pixel: [N, H, W].

    The square keeps gradients as large as those of the labels at any temperature (Hinton et al. 2015, §2).
    """
    student, teacher = (functional.log_softmax(side / temperature, dim=1) for side in (logits, taught))
    by_class = functional.kl_div(student, teacher, reduction="none", log_target=True)
    return temperature**2 * by_class.sum(dim=1)


def _class_weights(dataset: Dataset, settings: NetworkTraining, device: torch.device) -> torch.Tensor | None:
    if settings.class_weights == "none":
        return None
    split, classes = dataset.splits[Split.TRAIN], len(dataset.class_names)
    return inverse_sqrt_weights(split, classes, ignore_index=dataset.ignore_index).to(device)


def _prepared(teacher: nn.Module, device: torch.device) -> nn.Module:
    prepared: nn.Module = teacher.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return prepared.eval().requires_grad_(False)
