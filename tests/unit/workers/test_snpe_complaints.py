"""One line from what SNPE's tools print when they fail."""

import pytest

from workers.toolchains.snpe_complaints import complaint


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            "05:00:01,123 - 217 - ERROR - Encountered Error: 'No translation registered for op type onnx_erf. "
            "Op name: /up/Erf'\nTraceback (most recent call last):\n  File …",
            "op erf (node /up/Erf) is not supported",
        ),
        (
            "WARNING - deprecated\nERROR - Node Resize_12: coordinate mode half_pixel with antialias",
            "node Resize_12: coordinate mode half_pixel with antialias",
        ),
        (
            "[ ERROR ] QnnDsp <E> validateOpConfig failed for Op conv_7 of Type Conv2d: 0xc26",
            "op Conv2d (node conv_7) is not supported",
        ),
        ("INFO - reading\nERROR - cannot open network.onnx\nINFO - bye", "cannot open network.onnx"),
        ("Segment 3\nnothing else", "Segment 3 nothing else"),
        ("", "it says nothing"),
    ],
)
def test_the_op_and_node_come_first(output: str, reason: str) -> None:
    assert complaint(output) == reason


def test_a_long_complaint_is_cut() -> None:
    assert len(complaint("ERROR - " + "x" * 5000)) == 300
