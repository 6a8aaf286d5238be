"""Networks that are compiled for training, computed with as they are written elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def as_written(network: nn.Module, *, unless: bool = False) -> Iterator[None]:
    """Within this block, leave the compiled form of a network alone, where there is one.

    Scoring has another precision and other batches, each of which would be compiled anew: a minute and more for what
    takes some seconds in all. And scores do not depend on the compiler so.
    """
    compiled = network._compiled_call_impl
    if unless or compiled is None:
        yield
        return
    network._compiled_call_impl = None
    try:
        yield
    finally:
        network._compiled_call_impl = compiled
