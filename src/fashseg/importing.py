"""Importing torch and Lightning: thousands of modules, seconds of work, done as late as can be."""

import atexit
import contextlib
import gc
import sys
from collections.abc import Iterator

from fashseg.stopping import not_now


@contextlib.contextmanager
def heavy_imports() -> Iterator[None]:
    """Around imports that bring torch for the first time; signals wait until they are through.

    Python's cyclic garbage collector walks through all that was loaded time and again, a quarter of the time, and
    finds next to nothing: modules stay until the end. So it rests in the block, and leaves what was loaded alone
    afterwards too, which spares a training pauses of some tenths of a second.
    """
    with not_now():
        if "torch" in sys.modules or not gc.isenabled():
            yield
            return
        gc.disable()
        try:
            yield
        finally:
            gc.freeze()
            gc.enable()
            atexit.register(gc.unfreeze)  # compiled modules want to be cleared away in order
