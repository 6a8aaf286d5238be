"""Work done ahead of its use, in threads, in order, and never more of it than is wanted. Imports no torch."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

MOST_THREADS = 8


def ahead(work: Callable[[T], R], items: Iterable[T], at_once: int) -> Iterator[R]:
    """``map(work, items)`` with the next ``at_once`` results in the making while one is used."""
    rest = iter(items)
    with ThreadPoolExecutor(min(at_once, threads()), "fashseg-ahead") as pool:
        waiting: deque[Future[R]] = deque()
        try:
            waiting.extend(pool.submit(work, item) for item in islice(rest, at_once))
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(pool.submit(work, item) for item in islice(rest, 1))
                yield result
        finally:
            for future in waiting:
                future.cancel()


def threads() -> int:
    """As many as the process has cores, at most `MOST_THREADS`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_THREADS, cores)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of ``size`` items, the last one perhaps of fewer."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
