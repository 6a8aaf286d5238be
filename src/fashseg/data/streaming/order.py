"""The order of training over chunks: few of them are needed at a time, however many images there are."""

import threading
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fashseg.data.arrays import ArrayDataset
from fashseg.data.epoch_order import EpochOrder

IntArray = npt.NDArray[np.int64]


class ChunkOrder(EpochOrder):
    """Shuffled chunks, and shuffled images among ``window`` successive ones of them.

    The chunks of an epoch are put in an order that seed and epoch fix. The images in this order are cut into as many
    pieces of equal length as there are processes, filled up from the start: a process reads its own chunks alone, but
    for those at both ends of its piece. The images of each ``window`` chunks of a piece are then shuffled. Memory is
    that of the chunks' numbers and of two windows.

    Args:
        images: number of training images.
        seed: of the order.
        rank: of this process.
        world: number of processes.
        chunk: images a chunk; the last one has fewer.
        window: chunks whose images are shuffled together.
    """

    together = False

    def __init__(self, images: int, seed: int, rank: int = 0, world: int = 1, *, chunk: int, window: int) -> None:
        super().__init__(images, seed, rank, world)
        self.chunk, self.window = chunk, window

    def __len__(self) -> int:
        return -(-self.images // self.world)

    @property
    def plan(self) -> dict[str, int]:
        """What the order follows from."""
        return {**super().plan, "chunk": self.chunk, "window": self.window}

    def order(self) -> Tensor:
        """All of this epoch's indices, int64; for small sets, and for tests."""
        return self.rows_of(ArrayDataset(torch.empty(0), torch.empty(0), torch.arange(self.images)))(0, len(self))

    def rows_of(self, part: ArrayDataset) -> Callable[[int, int], Tensor]:
        """From a range of this epoch's places to where in the arrays of a part these images are."""
        pieces = _Pieces(self)
        lock, held = threading.Lock(), dict[int, IntArray]()

        def window(number: int) -> IntArray:
            with lock:  # threads that read ahead ask for the same one
                if number not in held:
                    for old in [known for known in held if known < number - 1]:
                        del held[old]
                    part.ahead([*pieces.chunks(number), *pieces.chunks(number + 1)])
                    held[number] = pieces.shuffled(number)
                return held[number]

        def rows(first: int, last: int) -> Tensor:
            found = []
            while first < last:
                number, start, end = pieces.window_of(first)
                found.append(window(number)[first - start : last - start])
                first = min(end, last)
            return part.rows(torch.from_numpy(np.concatenate(found)))

        return rows


class _Pieces:
    """One process's piece of an epoch: for each of its chunks the first image and how many, and their windows."""

    def __init__(self, order: ChunkOrder) -> None:
        self.order = order
        count = -(-order.images // order.chunk)
        chunks = torch.randperm(count, generator=torch.Generator().manual_seed(order.seed + order.drawn)).numpy()
        length = len(order)
        start = order.rank * length
        chunks = np.tile(chunks, -(-(start + length) // order.images))  # the end is filled up from the start
        sizes = np.minimum(order.chunk, order.images - chunks * order.chunk)
        ends = np.cumsum(sizes)
        low, high = np.searchsorted(ends, [start, start + length - 1], side="right")
        self.numbers, sizes, ends = chunks[low : high + 1], sizes[low : high + 1], ends[low : high + 1]
        skipped = np.maximum(start - (ends - sizes), 0)  # of the first chunk, by the process before
        self.first = self.numbers * order.chunk + skipped
        self.count = np.minimum(ends, start + length) - np.maximum(ends - sizes, start)
        done = np.concatenate([[0], np.cumsum(self.count)])
        self.starts = np.append(done[: -1 : order.window], done[-1])

    def window_of(self, place: int) -> tuple[int, int, int]:
        """Number, first place and end of the window that a place is in."""
        number = int(np.searchsorted(self.starts, place, side="right")) - 1
        return number, int(self.starts[number]), int(self.starts[number + 1])

    def chunks(self, window: int) -> list[int]:
        """The chunks of a window; none behind the last one."""
        return list(self.numbers[window * self.order.window : (window + 1) * self.order.window].tolist())

    def shuffled(self, window: int) -> IntArray:
        """The images of a window, shuffled."""
        part = slice(window * self.order.window, (window + 1) * self.order.window)
        rows = np.concatenate(
            [np.arange(first, first + count) for first, count in zip(self.first[part], self.count[part], strict=True)]
        )
        # Raw numbers: NumPy promises that these alone never change.
        entropy = [self.order.seed, self.order.drawn, self.order.rank, window]
        raw = np.random.PCG64(np.random.SeedSequence(entropy)).random_raw(len(rows))
        shuffled: IntArray = rows[np.argsort(raw, kind="stable")]
        return shuffled
