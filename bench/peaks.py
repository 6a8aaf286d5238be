"""What a core of this machine can do: products of matrices in bfloat16 and float32, and copying.

    OMP_NUM_THREADS=1 python -m bench.peaks

Rates are by processor time of one thread, the best of several tries: whatever disturbs makes them smaller. Prints one
JSON line: ``flops`` by number type, and ``copy`` as pairs of size in bytes and bytes a second, read and written ones.
"""

import time
from collections.abc import Callable
from typing import Any

import torch

from bench.clock import print_result
from fashseg.devices import keep_freed_memory

SIDE = 2048
COPY_BYTES = (2**18, 2**21, 2**24, 2**28)
TYPES = {"bf16": torch.bfloat16, "32": torch.float32}


def best_seconds(work: Callable[[], Any], tries: int) -> float:
    """Processor time of one call, after one that is not counted."""
    work()
    found = []
    for _ in range(tries):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def flops(dtype: torch.dtype, side: int = SIDE, tries: int = 5) -> float:
    """Floating-point operations a second in a product of square matrices; a multiply-add is two."""
    a, b = (torch.randn(side, side).to(dtype) for _ in range(2))
    out = torch.empty(side, side, dtype=dtype)
    return 2 * side**3 / best_seconds(lambda: torch.mm(a, b, out=out), tries)


def copy_rate(size: int, tries: int = 5) -> float:
    """Bytes a second, of an array of ``size`` bytes that is read and one that is written."""
    source, target = (torch.ones(size // 8, dtype=torch.int64) for _ in range(2))
    repeats = max(1, 2**26 // size)

    def copy() -> None:
        for _ in range(repeats):
            target.copy_(source)

    return 2 * size * repeats / best_seconds(copy, tries)


def main() -> None:
    """Measure and print."""
    keep_freed_memory()
    torch.set_num_threads(1)
    print_result(
        flops={name: flops(dtype) for name, dtype in TYPES.items()},
        copy=[(2 * size, copy_rate(size)) for size in COPY_BYTES],
    )


if __name__ == "__main__":
    main()
