"""Tells running out of memory apart from every other error."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from paretofarm.errors import OutOfMemory

_SAID = ("can't allocate memory", "CUDA error: out of memory", "_STATUS_ALLOC_FAILED", "_DEVICE_ALLOCATION_FAILED")
"""By torch's CPU allocator, CUDA itself, cuBLAS and cuDNN, none of whose errors has a class of its own."""


@contextmanager
def out_of_memory_named(what: str) -> Iterator[None]:
    """Turns whatever running out of memory looks like (host, torch's CPU allocator, CUDA) into `OutOfMemory`."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise OutOfMemory(f"{what} does not fit into memory: {first_line(error)}") from error
        raise


def is_out_of_memory(error: BaseException) -> bool:
    """Looks through the chain of causes: exporters wrap what went wrong."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(words in str(error) for words in _SAID):
        return True
    return error.__cause__ is not None and is_out_of_memory(error.__cause__)


def first_line(error: BaseException) -> str:
    """What an error says, short enough for one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
