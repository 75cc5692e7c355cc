"""Trains a network for some epochs: partial training is what most candidates ever get.

On a CPU the same seed gives the same bits, and a training resumed from a checkpoint those of one never interrupted.
"""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from paretofarm.errors import ArtifactMissing, DataError, TrainingDiverged
from paretofarm.training import NetworkTraining
from workers.datasets import Dataset, ImageMaskArrays, Split
from workers.memory import out_of_memory_named
from workers.memory_needs import PeakMemory
from workers.training.augmentation import Augmentation
from workers.training.averaging import AveragedWeights
from workers.training.batches import Batches, share_of, shuffled
from workers.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from workers.training.evaluation import Evaluation, evaluate
from workers.training.fake_quantization import fake_quantized
from workers.training.loss import LabelLoss
from workers.training.micro_batches import MicroBatches, parts
from workers.training.normalization import estimate_statistics
from workers.training.optimization import make_optimizer, set_learning_rate
from workers.training.resident import ResidentSplit, nearest
from workers.training.result import EpochMetrics, TrainingResult

Forward = Callable[[torch.Tensor], torch.Tensor]

REPORT_EVERY = 16
"""Steps between looks at the loss: on a GPU each look waits for it."""


def train(
    network: nn.Module,
    dataset: Dataset,
    settings: NetworkTraining,
    *,
    epochs_total: int,
    seed: int,
    device: str = "cpu",
    memory_share: int | None = None,
    resume_from: Path | None = None,
    save_to: Path | None = None,
    teacher: nn.Module | None = None,
    on_epoch: Callable[[EpochMetrics], None] = lambda epoch: None,
    on_progress: Callable[[float], None] = lambda progress: None,
) -> TrainingResult:
    """Trains until `epochs_total` epochs are done in all, those of `resume_from` included, and validates after each.

    Ends earlier where `settings.early_stop` says so. The network ends with the weights that were scored, on `device`.
    memory_share: bytes of the device for this training, where others use it too; None: whatever is free.
    A batch that does not fit into memory goes through the network in parts, whose gradients are added up.
    Writes `save_to` after every epoch, before `on_epoch`. `teacher`, a trained network with the same inputs and
    classes, is asked where `settings.distillation` is there. `on_progress` gets the share of this call that is done.
    Errors: `DataError` (nothing to learn from), `TrainingDiverged`, `OutOfMemory`, `ArtifactMissing` (checkpoint).
    """
    _require_learnable(dataset)
    with out_of_memory_named(f"training in batches of {settings.batch_size}"):
        training = _Training(network, dataset, settings, seed, torch.device(device), teacher, memory_share)
        first = training.resume(resume_from) if resume_from is not None else 0
        return training.run(range(first, max(epochs_total, first)), save_to, on_epoch, on_progress)


class _Training:
    """What lives as long as one call of `train`."""

    def __init__(
        self,
        network: nn.Module,
        dataset: Dataset,
        settings: NetworkTraining,
        seed: int,
        device: torch.device,
        teacher: nn.Module | None,
        memory_share: int | None = None,
    ) -> None:
        self.dataset = dataset
        self.settings = settings
        self.seed = seed
        self.device = device
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.forward = _compiled(self.network, settings, device)
        self.average = AveragedWeights(self.network, settings.ema_decay) if settings.ema_decay is not None else None
        self.optimizer = make_optimizer(self.network, settings)
        self.amp_type = _amp_type(device) if settings.amp else None
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.amp_type is torch.float16)
        self.loss = LabelLoss(dataset, settings, teacher, device)
        self.train_split = nearest(dataset.splits[Split.TRAIN], device, memory_share)
        self.validation_split = nearest(dataset.splits[Split.VALIDATION], device, memory_share)
        self.chosen = share_of(dataset.splits[Split.TRAIN], settings.share)
        self.batches = Batches(self.train_split, settings.batch_size, device)
        self.micro_batches = MicroBatches(settings.batch_size)
        self.augmentation = Augmentation(settings.augment, dataset, device)
        self.course: list[float] = []

    def resume(self, path: Path) -> int:
        """Epochs that lie behind."""
        checkpoint = load_checkpoint(path, self.device)
        if checkpoint.seed != self.seed:
            raise ArtifactMissing(f"{path}: a checkpoint of seed {checkpoint.seed}, not {self.seed}")
        try:
            self.network.load_state_dict(checkpoint.network)
            self.optimizer.load_state_dict(checkpoint.optimizer)
            self.scaler.load_state_dict(checkpoint.scaler)
            if self.average is not None:
                self.average.network.load_state_dict(_average_of(checkpoint, path))
        except (RuntimeError, ValueError, KeyError) as error:
            raise ArtifactMissing(f"{path}: a checkpoint of another network") from error
        self.course = list(checkpoint.course)
        return checkpoint.epoch

    def save(self, path: Path, epoch: int) -> None:
        states = (self.network.state_dict(), self.optimizer.state_dict(), self.scaler.state_dict())
        average = None if self.average is None else self.average.network.state_dict()
        save_checkpoint(Checkpoint(epoch, self.seed, *states, average, tuple(self.course)), path)

    def run(
        self,
        epochs: range,
        save_to: Path | None,
        on_epoch: Callable[[EpochMetrics], None],
        on_progress: Callable[[float], None],
    ) -> TrainingResult:
        finished: list[EpochMetrics] = []
        evaluation = None
        for epoch in epochs:
            if self.is_plateau():
                break
            started = time.monotonic()
            train_loss = self.train_epoch(epoch, partial(_report_share, on_progress, epochs, epoch))
            evaluation = self.validate()
            self.course.append(evaluation.scores.main(self.dataset.task))
            seconds = time.monotonic() - started
            finished.append(EpochMetrics(epoch + 1, train_loss, self.metrics(evaluation), seconds, self.memory()))
            if save_to is not None:
                self.save(save_to, epoch + 1)
            on_epoch(finished[-1])
        evaluation = evaluation or self.validate()
        done = epochs.start + len(finished)
        if save_to is not None and not finished:
            self.save(save_to, done)
        if self.average is not None:
            self.network.load_state_dict(self.average.network.state_dict())
        metrics, per_class = self.metrics(evaluation), evaluation.scores.per_class
        return TrainingResult(metrics, per_class, tuple(finished), done, self.micro_batches.size, self.memory())

    def memory(self) -> PeakMemory | None:
        if self.device.type != "cuda":
            return None
        splits = (self.train_split, self.validation_split)
        resident = sum(split.size_bytes for split in splits if isinstance(split, ResidentSplit))
        return PeakMemory(torch.cuda.max_memory_reserved(self.device), resident)

    def metrics(self, evaluation: Evaluation) -> dict[str, float]:
        """Named as in `paretofarm.metrics`."""
        return {**evaluation.scores.overall(self.dataset.task), "loss": evaluation.loss}

    def is_plateau(self) -> bool:
        return self.settings.early_stop is not None and self.settings.early_stop.reached(self.course)

    def train_epoch(self, epoch: int, on_progress: Callable[[float], None]) -> float:
        """Mean loss. What is random in it depends on seed and epoch alone, so it does not matter where one resumes."""
        rng = np.random.default_rng([self.seed, epoch])
        torch.manual_seed(int(rng.integers(2**63)))
        order = [self.chosen[batch] for batch in shuffled(len(self.chosen), self.settings.batch_size, rng)]
        total = torch.zeros((), device=self.device)
        self.network.train()
        with fake_quantized(self.network) if self.is_quantized(epoch) else nullcontext():
            for step, (images, labels) in enumerate(self.augmentation.read(self.batches, order, rng)):
                set_learning_rate(self.optimizer, self.settings, self.progress(epoch, step / len(order)))
                total += self.step(images, labels)
                if self.average is not None:
                    self.average.update(self.network, epoch * len(order) + step)
                if (step + 1) % REPORT_EVERY == 0 or step + 1 == len(order):
                    _require_finite(total, epoch, step)
                    on_progress((step + 1) / len(order))
        return float(total) / len(order)

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss of a batch, after one step of the optimizer."""
        loss = self.micro_batches.fitted(partial(self.differentiate, images, labels))
        if self.settings.clip_gradients is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip_gradients)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss

    def differentiate(self, images: torch.Tensor, labels: torch.Tensor, at_a_time: int) -> torch.Tensor:
        """The loss of a batch, whose gradients are left in the parameters."""
        self.optimizer.zero_grad(set_to_none=True)
        labelled = self.loss.count(labels)
        total = torch.zeros((), device=self.device)
        for part, part_labels in parts(images, labels, at_a_time):
            with torch.autocast(self.device.type, dtype=self.amp_type, enabled=self.amp_type is not None):
                logits, taught = self.forward(part), self.loss.ask_teacher(part)
            loss = self.loss(logits.float(), part_labels, taught, labelled)
            self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        return total

    def is_quantized(self, epoch: int) -> bool:
        """Whether the epoch is one of the last that are planned."""
        aware = self.settings.quantization_aware
        return aware is not None and epoch >= self.settings.epochs[-1] - aware.epochs

    def progress(self, epoch: int, share: float) -> float:
        """Share of all planned steps that lie behind; a training past its plan stays at the end of it."""
        return min(1.0, (epoch + share) / self.settings.epochs[-1])

    @property
    def judged(self) -> nn.Module:
        """The network that is scored and given away."""
        return self.network if self.average is None else self.average.network

    def validate(self) -> Evaluation:
        evaluation = self.micro_batches.fitted(self.evaluate)
        if not math.isfinite(evaluation.loss):
            raise TrainingDiverged(f"the validation loss became {evaluation.loss:g}")
        return evaluation

    def evaluate(self, at_a_time: int) -> Evaluation:
        estimate_statistics(self.judged, self.train_split, at_a_time, self.device)
        return evaluate(
            self.judged,
            self.validation_split,
            self.dataset.class_names,
            ignore_index=self.dataset.ignore_index,
            batch_size=at_a_time,
            device=self.device,
        )


def _average_of(checkpoint: Checkpoint, path: Path) -> dict[str, Any]:
    if checkpoint.average is None:
        raise ArtifactMissing(f"{path}: a checkpoint without averaged weights")
    return checkpoint.average


def _report_share(on_progress: Callable[[float], None], epochs: range, epoch: int, share: float) -> None:
    on_progress((epochs.index(epoch) + share) / len(epochs))


def _require_learnable(dataset: Dataset) -> None:
    for split in (Split.TRAIN, Split.VALIDATION):
        if not len(dataset.splits[split]):
            raise DataError(f"{dataset.name}: the {split} split is empty")
    if _has_one_class(dataset.splits[Split.TRAIN], dataset.ignore_index):
        raise DataError(f"{dataset.name}: the train split has one class only, there is nothing to learn")


def _has_one_class(split: ImageMaskArrays, ignore_index: int) -> bool:
    """Reads no further than to the second class."""
    seen: set[int] = set()
    for mask in split.masks:
        seen.update(np.unique(mask).tolist())
        if len(seen - {ignore_index}) > 1:
            return False
    return True


def _require_finite(total: torch.Tensor, epoch: int, step: int) -> None:
    if not torch.isfinite(total):
        raise TrainingDiverged(f"the loss became {float(total):g} by step {step + 1} of epoch {epoch + 1}")


def _amp_type(device: torch.device) -> torch.dtype | None:
    """bfloat16 needs no loss scaling; GPUs without it get float16, which does. On CPUs neither pays."""
    if device.type != "cuda":
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def _compiled(network: nn.Module, settings: NetworkTraining, device: torch.device) -> Forward:
    """On CPUs compiling takes longer than it saves (24 to 46 s, and slower than eager after that)."""
    if not settings.compile or device.type != "cuda":
        return network
    compiled: Forward = torch.compile(network)
    return compiled
