"""Archai's training of a face segmentation network, in the same few lines: a LightningModule, DataLoaders, a Trainer.

What it does in `tasks/face_segmentation/training` (pl_trainer.py, partial_training_evaluator.py, metrics.py) and
`archai/datasets/cv/face_synthetics.py`: cross-entropy that ignores 255 over flattened pixels, Adam at 2e-4, a confusion
matrix and scores of every batch, of training too, handed to `log_dict`. Images are divided by 255 one by one, read from
a PNG file each time or, kinder, from an array that was decoded before. Left out, in its favour: logger, checkpoints,
progress bar, the second validation; no processes for the loaders, since all loops here have one thread.
"""

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from workers.datasets import Dataset, ImageMaskArrays, Split

Sample = Mapping[str, torch.Tensor]


class DecodedFaces(TorchDataset[Sample]):
    def __init__(self, split: ImageMaskArrays) -> None:
        self._split = split

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, index: int) -> Sample:
        return _sample(np.array(self._split.images[index]), np.array(self._split.masks[index]))


class PngFaces(TorchDataset[Sample]):
    """NNNNNN.png and NNNNNN_seg.png, of the size that is trained on: nothing is resized."""

    def __init__(self, split: ImageMaskArrays, folder: Path) -> None:
        self._files = list(_written(split, folder))

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> Sample:
        image, mask = (np.array(Image.open(path)) for path in self._files[index])
        return _sample(image, mask)


class SegmentationLoop(LightningModule):
    def __init__(self, network: nn.Module, classes: int) -> None:
        super().__init__()
        self.network = network
        self.classes = classes
        self.loss = nn.CrossEntropyLoss(ignore_index=255)

    def training_step(self, batch: Sample, batch_idx: int) -> torch.Tensor:
        results = self._step(batch, "train")
        self.log_dict(results, on_step=True, on_epoch=True)
        return results["train_loss"]

    def validation_step(self, batch: Sample, batch_idx: int) -> None:
        self.log_dict(self._step(batch, "validation"), on_step=False, on_epoch=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=2e-4)

    def _step(self, batch: Sample, stage: str) -> dict[str, torch.Tensor]:
        image, mask = batch["image"], batch["mask"].flatten(1)
        logits = self.network(image).flatten(2)
        loss = self.loss(logits, mask)
        confusion = _confusion(logits.argmax(1).cpu(), mask.cpu(), self.classes)
        return {f"{stage}_loss": loss, **{f"{stage}_{name}": score for name, score in _scores(confusion).items()}}


def train_with_lightning(
    network: nn.Module, dataset: Dataset, classes: int, batch_size: int, *, png_folder: Path | None = None
) -> None:
    """One epoch and its validation."""
    splits = [dataset.splits[split] for split in (Split.TRAIN, Split.VALIDATION)]
    faces: Sequence[TorchDataset[Sample]] = [
        DecodedFaces(split) if png_folder is None else PngFaces(split, png_folder / str(index))
        for index, split in enumerate(splits)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        trainer = Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        loaders = [DataLoader(part, batch_size, shuffle=index == 0) for index, part in enumerate(faces)]
        trainer.fit(SegmentationLoop(network, classes), *loaders)


def _sample(image: np.ndarray, mask: np.ndarray) -> Sample:
    return {"image": torch.from_numpy(image).permute(2, 0, 1) / 255, "mask": torch.from_numpy(mask).long()}


def _written(split: ImageMaskArrays, folder: Path) -> list[tuple[Path, Path]]:
    """Pairs of files, written at the first call."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = [(folder / f"{index:06}.png", folder / f"{index:06}_seg.png") for index in range(len(split))]
    for (image, mask), pixels, labels in zip(pairs, split.images, split.masks, strict=True):
        if not mask.exists():
            Image.fromarray(np.array(pixels)).save(image)
            Image.fromarray(np.array(labels)).save(mask)
    return pairs


def _confusion(predicted: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    known = labels != 255
    pairs = classes * labels[known] + predicted[known]
    return torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def _scores(confusion: torch.Tensor) -> dict[str, torch.Tensor]:
    right, labelled, predicted = confusion.diag(), confusion.sum(1), confusion.sum(0)
    iou = (right + 1e-7) / (labelled + predicted - right + 1e-7)
    f1 = (2 * right + 1e-7) / (labelled + predicted + 1e-7)
    return {"mIOU": iou.mean(), "macro_f1": f1.mean(), "weighted_f1": (f1 * labelled / labelled.sum()).sum()}
