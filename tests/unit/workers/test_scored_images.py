"""The images that trained networks are scored on, and what they score before they are quantized."""

from pathlib import Path

import numpy as np
import torch
from small_training import CLASS_NAMES, SHAPE, rectangles, small_dataset, small_network

from workers.datasets import Dataset, Split
from workers.export import export_onnx
from workers.scored_images import float_scores, scored_images
from workers.training.batches import to_input
from workers.training.evaluation import evaluate


def data(count: int) -> Dataset:
    dataset = small_dataset()
    return Dataset(dataset.name, dataset.class_names, {**dataset.splits, Split.TEST: rectangles(count, seed=9)})


def test_they_are_spread_over_the_test_split() -> None:
    dataset = data(10)
    chosen = scored_images(dataset, 4)
    test = dataset.splits[Split.TEST]
    np.testing.assert_array_equal(chosen.labels, test.masks[[0, 3, 6, 9]])
    np.testing.assert_array_equal(chosen.images, test.images[[0, 3, 6, 9]].transpose(0, 3, 1, 2))
    assert (chosen.class_names, chosen.ignore_index) == (CLASS_NAMES, 255)


def test_a_small_split_is_taken_whole() -> None:
    assert len(scored_images(data(3), 200)) == 3
    assert len(scored_images(data(5), 1)) == 1


def test_a_phone_gets_the_very_numbers_that_a_training_gets() -> None:
    dataset = data(6)
    inputs = scored_images(dataset, 6).inputs(0, 6)
    trained_on = to_input(torch.from_numpy(np.array(dataset.splits[Split.TEST].images))).numpy()
    np.testing.assert_array_equal(inputs, trained_on, strict=True)


def test_float_scores_are_those_that_torch_gives(tmp_path: Path) -> None:
    network, dataset = small_network(), data(12)
    export_onnx(network, SHAPE, tmp_path / "trained.onnx")
    shares: list[float] = []
    scores = float_scores(tmp_path / "trained.onnx", scored_images(dataset, 12), shares.append)
    torchs = evaluate(
        network,
        dataset.splits[Split.TEST],
        dataset.class_names,
        ignore_index=dataset.ignore_index,
        batch_size=5,
        device=torch.device("cpu"),
    )
    assert scores == torchs.scores
    assert shares[-1] == 1.0
