"""Runs one function over many items on threads, results in order, with bounded memory."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Pillow decodes without the GIL, so threads scale; beyond eight the disk is the limit.
MOST_THREADS = 8


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Like `map`, on up to eight threads. The first error is raised when its turn comes; the rest is cancelled."""
    threads = min(os.cpu_count() or 1, MOST_THREADS)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    try:
        backlog: deque[Future[Result]] = deque()
        for item in items:
            backlog.append(pool.submit(function, item))
            if len(backlog) >= 16 * threads:
                yield backlog.popleft().result()
        while backlog:
            yield backlog.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
