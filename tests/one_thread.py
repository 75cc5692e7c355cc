"""onnxruntime on one thread, whoever opens a session: convolutions on several may differ in the last bit."""

from collections.abc import Iterator
from contextlib import contextmanager

import onnxruntime
import pytest


@contextmanager
def one_thread() -> Iterator[None]:
    """For its own calibrator, which takes all cores and cannot be told otherwise."""
    made = onnxruntime.SessionOptions

    def options() -> onnxruntime.SessionOptions:
        found = made()
        found.intra_op_num_threads = 1
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnxruntime, "SessionOptions", options)
        yield
