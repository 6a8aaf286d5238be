"""The batches of one pass over a data set: gathered when they are asked for, or read ahead by threads."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from fashseg.data.arrays import ArrayDataset, Batch

_AHEAD_BYTES = 64 << 20
"""The most that is read ahead: batches of evaluation can be large."""


class Batches:
    """Batches by their number in the pass.

    Data in memory takes no threads: a batch of 64 garments is gathered in 5 µs. Data on disk is read by threads, not
    by processes: reading and decoding nothing holds Python's lock, nothing is copied between processes, and no memory
    is taken but for the batches that wait. Threads end with the pass.

    Args:
        part: the images.
        rows: for each batch the positions of its images in the arrays, int64, where the arrays are.
        workers: threads that read ahead; 0 reads when a batch is asked for.
        device: where batches are needed; None leaves them where the images are.
    """

    def __init__(
        self, part: ArrayDataset, rows: Sequence[Tensor], workers: int = 0, device: torch.device | None = None
    ) -> None:
        self.part, self.rows, self.device = part, rows, device
        self._pin = device is not None and device.type == "cuda" and part.device.type == "cpu"
        self._waiting: dict[int, Future[Batch]] = {}
        self._pool = ThreadPoolExecutor(workers, "reader") if part.on_disk and workers and rows else None
        self._workers = workers

    def __enter__(self) -> "Batches":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Batch]:
        for number in range(len(self)):
            yield self[number]

    def __getitem__(self, number: int) -> Batch:
        images, targets = self._read_ahead(number) if self._pool else self._read(number)
        if self.device is not None:
            # From pinned memory the processor does not wait for the copy.
            images = images.to(self.device, non_blocking=self._pin)
            targets = targets.to(self.device, non_blocking=self._pin)
        return images, targets.long()

    def _read(self, number: int) -> Batch:
        images, targets = self.part.raw(self.rows[number])
        return (images.pin_memory(), targets.pin_memory()) if self._pin else (images, targets)

    def _read_ahead(self, number: int) -> Batch:
        assert self._pool
        for passed in [n for n in self._waiting if n < number]:
            del self._waiting[passed]
        size = max(1, len(self.rows[number]) * self.part.item_bytes)
        most = max(1, min(2 * self._workers, _AHEAD_BYTES // size))
        for ahead in range(number, min(number + 1 + most, len(self))):
            if ahead not in self._waiting:
                self._waiting[ahead] = self._pool.submit(self._read, ahead)
        return self._waiting.pop(number).result()
