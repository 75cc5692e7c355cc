"""What goes into a compiled network and comes out of it, between our floats and its native numbers."""

import numpy as np
import pytest

from paretofarm.errors import ConfigError
from paretofarm.qnn_network import QnnInterface, QnnTensor, parse_context_info, parse_interface

IMAGE = QnnTensor(name="image", shape=(1, 2, 3, 3), dtype="uint8", scale=1 / 255, offset=0)
LOGITS = QnnTensor(name="logits", shape=(1, 2, 3, 4), dtype="uint16", scale=0.5, offset=-100)


def test_images_become_levels_with_channels_last() -> None:
    images = np.zeros((2, 3, 2, 3), np.float32)
    images[1, 2, 0, 1] = 1.0
    native = IMAGE.to_native(images)
    assert native.shape == (2, 2, 3, 3)
    assert native.dtype == np.uint8
    assert native[1, 0, 1, 2] == 255
    assert native.sum() == 255


def test_what_is_out_of_range_is_cut_off() -> None:
    native = IMAGE.to_native(np.full((1, 3, 2, 3), [[[[-0.5, 0.4, 1.5]]]], np.float32))
    assert native[0, 0, :, 0].tolist() == [0, 102, 255]


def test_outputs_become_floats_with_channels_second() -> None:
    levels = np.full((3, 2, 3, 4), 100, np.uint16)
    levels[2, 1, 0, 3] = 103
    logits = LOGITS.from_native(levels.tobytes())
    assert logits.shape == (3, 4, 2, 3)
    assert logits[2, 3, 1, 0] == 1.5
    assert np.count_nonzero(logits) == 1


def test_there_and_back_again_differs_by_half_a_level_at_most() -> None:
    tensor = QnnTensor(name="image", shape=(1, 5, 7, 3), dtype="uint16", scale=1e-4, offset=-3000)
    images = np.random.default_rng(0).uniform(-0.29, 6.0, (4, 3, 5, 7)).astype(np.float32)
    assert np.abs(tensor.from_native(tensor.to_native(images).tobytes()) - images).max() <= 0.51e-4


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"image takes images \(3, 2, 3\), not \(3, 4, 4\)"):
        IMAGE.to_native(np.zeros((1, 3, 4, 4), np.float32))
    with pytest.raises(ConfigError, match="logits: 49 bytes"):
        LOGITS.from_native(bytes(49))


def test_an_interface_survives_its_file() -> None:
    interface = QnnInterface(
        input=IMAGE, output=LOGITS, soc="SM8350", arch=68, stamped=True, precision="int8", qnn_version="2.51.0"
    )
    assert parse_interface(interface.to_json(), "file") == interface


def test_a_damaged_interface_names_its_file() -> None:
    with pytest.raises(ConfigError, match=r"network.zip: interface.json is not readable"):
        parse_interface(b"{}", "network.zip")


def described(name: str, dimensions: list[int], dtype: str, scale: float, offset: int) -> dict[str, object]:
    quantization = {"scaleOffset": {"scale": scale, "offset": offset}}
    return {"info": {"name": name, "dimensions": dimensions, "dataType": dtype, "quantizeParams": quantization}}


def test_what_the_sdk_says_of_a_context_is_understood() -> None:
    graph = {
        "graphInputs": [described("image", [1, 2, 3, 3], "QNN_DATATYPE_UFIXED_POINT_8", 1 / 255, 0)],
        "graphOutputs": [described("logits", [1, 2, 3, 4], "QNN_DATATYPE_UFIXED_POINT_16", 0.5, -100)],
    }
    assert parse_context_info({"info": {"graphs": [{"info": graph}]}}) == (IMAGE, LOGITS)


def test_a_context_with_float_inputs_is_refused() -> None:
    graph = {"graphInputs": [described("image", [1, 2, 3, 3], "QNN_DATATYPE_FLOAT_32", 0.0, 0)], "graphOutputs": []}
    with pytest.raises(ConfigError, match="no single quantized input and output"):
        parse_context_info({"info": {"graphs": [{"info": graph}]}})
