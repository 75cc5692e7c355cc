import numpy as np
import torch

from workers.datasets.face_classes import FACE_CLASS_NAMES, FaceClass
from workers.training.mirror import Mirror


def test_a_mirrored_face_swaps_left_and_right_classes() -> None:
    images = np.zeros((1, 1, 3, 3), np.uint8)
    masks = np.array([[[FaceClass.RIGHT_EYE, FaceClass.NOSE, FaceClass.LEFT_EAR]]], np.uint8)
    Mirror(FACE_CLASS_NAMES).apply(torch.from_numpy(images), torch.from_numpy(masks), np.array([True]))
    assert masks.tolist() == [[[FaceClass.RIGHT_EAR, FaceClass.NOSE, FaceClass.LEFT_EYE]]]


def test_pixels_move_with_their_labels() -> None:
    images = np.arange(12, dtype=np.uint8).reshape(1, 1, 4, 3)
    masks = np.array([[[0, 1, 2, 255]]], np.uint8)
    Mirror(("background", "skin", "hair")).apply(torch.from_numpy(images), torch.from_numpy(masks), np.array([True]))
    assert images[0, 0, :, 0].tolist() == [9, 6, 3, 0]
    assert masks.tolist() == [[[255, 2, 1, 0]]]


def test_only_the_chosen_are_mirrored_and_twice_is_never() -> None:
    rng = np.random.default_rng(0)
    images, masks = rng.integers(0, 256, (3, 4, 4, 3), np.uint8), rng.integers(0, 19, (3, 4, 4), np.uint8)
    before = images.copy(), masks.copy()
    mirror, chosen = Mirror(FACE_CLASS_NAMES), np.array([True, False, True])
    mirror.apply(torch.from_numpy(images), torch.from_numpy(masks), chosen)
    assert not np.array_equal(images[0], before[0][0])
    np.testing.assert_array_equal(images[1], before[0][1])
    np.testing.assert_array_equal(masks[1], before[1][1])
    mirror.apply(torch.from_numpy(images), torch.from_numpy(masks), chosen)
    np.testing.assert_array_equal(images, before[0])
    np.testing.assert_array_equal(masks, before[1])


def test_a_side_without_its_partner_stays_as_it_is() -> None:
    masks = np.array([[[1, 0]]], np.uint8)
    Mirror(("background", "left_lung")).apply(
        torch.zeros((1, 1, 2, 3), dtype=torch.uint8), torch.from_numpy(masks), np.array([True])
    )
    assert masks.tolist() == [[[0, 1]]]
