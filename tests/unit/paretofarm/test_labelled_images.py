"""The file in which a test set goes to an agent."""

import hashlib

import numpy as np
import pytest

from paretofarm.labelled_images import LabelledImages, decode, encode
from paretofarm.task import Task


def some_images(count: int = 3, *, seed: int = 0) -> LabelledImages:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, 16, 20, 3), dtype=np.uint8).transpose(0, 3, 1, 2)
    return LabelledImages(("background", "größe"), 255, images, rng.integers(0, 2, (count, 16, 20), dtype=np.uint8))


def test_what_is_written_is_read_back_whatever_its_order_in_memory() -> None:
    written = some_images()
    read = decode(b"".join(encode(written)))
    assert (read.class_names, read.ignore_index, len(read)) == (written.class_names, 255, 3)
    np.testing.assert_array_equal(read.images, written.images, strict=True)
    np.testing.assert_array_equal(read.labels, written.labels, strict=True)


def test_an_image_with_one_class_has_one_label() -> None:
    images = some_images().images
    written = LabelledImages(
        ("coat", "bag"), 255, images, np.array([[[1]], [[0]], [[1]]], np.uint8), Task.CLASSIFICATION
    )
    content = b"".join(encode(written))
    read = decode(content)
    assert (read.task, read.logits_shape) == (Task.CLASSIFICATION, (2, 1, 1))
    assert read.labels.ravel().tolist() == [1, 0, 1]
    assert len(content) < len(b"".join(encode(some_images())))


def test_the_same_images_give_the_same_bytes_on_any_machine() -> None:
    digest = hashlib.sha256(b"".join(encode(some_images()))).hexdigest()
    assert digest == DIGEST


DIGEST = "145175ea65064bb7c0f80288f8b0b56ac974a1ee4fe5d9550472085502e72fb3"


def test_reading_copies_nothing() -> None:
    content = b"".join(encode(some_images()))
    assert np.shares_memory(decode(content).images, np.frombuffer(content, np.uint8))


def test_inputs_are_what_networks_take() -> None:
    inputs = some_images().inputs(1, 3)
    assert (inputs.shape, inputs.dtype) == ((2, 3, 16, 20), np.float32)
    assert inputs.min() >= 0 and inputs.max() == 1.0


@pytest.mark.parametrize(
    "content", [b"", b"{}\n", b"[1]\n", b'{"format": 2}\n', b"".join(encode(some_images()))[:-1], b"\xff\xfe\n"]
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        decode(content)
