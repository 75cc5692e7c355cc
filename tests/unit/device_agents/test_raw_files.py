"""Plain numbers that come back from a phone, as outputs with a shape."""

import numpy as np
import pytest

from device_agents.runtimes.raw_files import Layout, logits
from paretofarm.errors import NotDeployable

IMAGES = (4, 3, 32, 32)


def test_whoever_knows_the_shape_is_believed() -> None:
    """Sixteen classes of an image are as many numbers as one class of 4 by 4 pixels."""
    content = np.arange(16, dtype="<f4").tobytes()
    assert logits(content, IMAGES, Layout.CHW, (16, 1, 1)).shape == (16, 1, 1)
    assert logits(content, IMAGES, Layout.HWC, (16, 1, 1)).ravel().tolist() == list(range(16))
    assert logits(content, IMAGES, Layout.CHW).shape == (1, 4, 4), "guessed"


def test_where_it_is_known_another_number_of_values_is_the_networks_fault() -> None:
    content = np.zeros(10, "<f4").tobytes()
    with pytest.raises(NotDeployable, match="an output of 40 bytes is none of 16x1x1"):
        logits(content, IMAGES, Layout.CHW, (16, 1, 1))
    with pytest.raises(NotDeployable, match="an output of 40 bytes is none of 32x32 pixels"):
        logits(content, IMAGES, Layout.CHW)
