"""The images of a part, read out of its chunks by their numbers."""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fashseg.data.arrays import Batch, OpenFile, read_into
from fashseg.data.streaming.description import chunk_name
from fashseg.data.streaming.layout import ChunkError, Labels, Layout
from fashseg.data.streaming.places import Place, PlaceError
from fashseg.errors import RunError

_FETCHING = 8
"""Chunks that are fetched at once: each waits for the network, and one connection rarely fills it."""


class Chunks:
    """The chunks of a part.

    A chunk is looked at as a whole when it is first opened; from then on images are read out of it by their place. What
    the system keeps of it in memory is not counted as the process's own. Several threads may read.

    Args:
        place: where they are.
        part: ``train``, ``val`` or ``test``.
        layout: of an image.
        images: of the part.
        chunk: images a chunk; the last one has fewer.
        checksums: of each chunk.
        labels: those that targets may have.
        opened: chunks that are kept open: what a process may open is bounded, and what is open takes room on the disk
            even where the cache has deleted it.
    """

    def __init__(
        self,
        place: Place,
        part: str,
        layout: Layout,
        images: int,
        chunk: int,
        checksums: npt.NDArray[np.uint32],
        labels: Labels,
        opened: int,
    ) -> None:
        self.place, self.part, self.layout = place, part, layout
        self.images, self.chunk, self._checksums, self._labels = images, chunk, checksums, labels
        self._most_open = opened
        self._lock = threading.Lock()
        self._open: OrderedDict[int, OpenFile] = OrderedDict()
        self._coming: dict[int, Future[OpenFile]] = {}
        self._looked_at = np.zeros(len(checksums), bool)
        self._pool: ThreadPoolExecutor | None = None

    def __len__(self) -> int:
        return len(self._checksums)

    def read(self, rows: Tensor) -> Batch:
        """Images (B, C, H, W) and targets (B,) or (B, H, W), uint8, of these numbers, int64.

        Raises:
            IndexError: there is no such image.
            RunError: a chunk is missing, damaged, or can't be fetched.
        """
        wanted = rows.numpy()
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < self.images:
            raise IndexError(f"images from {wanted.min()} to {wanted.max()} of a part with {self.images}")
        layout = self.layout
        records = np.empty((len(wanted), layout.image_bytes), np.uint8)
        numbers = wanted // self.chunk
        files = self._files(np.unique(numbers))
        # Successive images of a chunk are read at once.
        ends = np.flatnonzero((np.diff(wanted) != 1) | (np.diff(numbers) != 0)) + 1
        for first, end in zip([0, *ends.tolist()], [*ends.tolist(), len(wanted)], strict=True):
            if end > first:
                number, place = divmod(int(wanted[first]), self.chunk)
                offset = layout.first_byte(self._count(number)) + place * layout.image_bytes
                self._fill(number, files[number], records[first:end].reshape(-1).data, offset)
        pixels = np.ascontiguousarray(records[:, layout.pixels]).reshape(len(wanted), *layout.image)
        labels = np.ascontiguousarray(records[:, layout.labels]).reshape(len(wanted), *layout.target)
        return torch.from_numpy(pixels), torch.from_numpy(labels)

    def ahead(self, numbers: Iterable[int]) -> None:
        """Begin to fetch chunks that will be needed soon; nothing where they are at hand."""
        if self.place.distant:
            for number in numbers:
                self._file_to_come(number)

    def verify(self, number: int) -> None:
        """Look at a chunk.

        Raises:
            RunError: it is missing or damaged.
        """
        self._opened(number)

    def _files(self, numbers: npt.NDArray[np.int64]) -> dict[int, OpenFile]:
        if not self.place.distant:
            return {number: self._opened(number) for number in numbers.tolist()}
        coming = {number: self._file_to_come(number) for number in numbers.tolist()}
        return {number: future.result() for number, future in coming.items()}

    def _file_to_come(self, number: int) -> Future[OpenFile]:
        with self._lock:
            if future := self._coming.get(number):
                return future
            if number in self._open:
                there: Future[OpenFile] = Future()
                there.set_result(self._open[number])
                return there
            self._pool = self._pool or ThreadPoolExecutor(_FETCHING, "chunk")
            future = self._coming[number] = self._pool.submit(self._opened, number)
            future.add_done_callback(lambda _: self._coming.pop(number))
            return future

    def _opened(self, number: int) -> OpenFile:
        with self._lock:
            if file := self._open.get(number):
                self._open.move_to_end(number)
                return file
        name = chunk_name(self.part, number)
        try:
            try:
                file = self._open_once(number)
            except ChunkError:
                if not self.place.distant:
                    raise
                self.place.forget(name)  # the copy may be damaged, and the original right
                file = self._open_once(number)
        except PlaceError as error:
            raise RunError(error.what, error.way_out) from error
        except ChunkError as error:
            raise RunError(
                f"{self.place.where}/{name} {error}.", "Copy or upload it again, or write the data set anew."
            ) from error
        with self._lock:
            file = self._open.setdefault(number, file)
            while len(self._open) > self._most_open:
                self._open.popitem(last=False)  # closed when nobody reads from it any more
        return file

    def _open_once(self, number: int) -> OpenFile:
        size = self.layout.chunk_bytes(self._count(number))
        name = chunk_name(self.part, number)
        file = OpenFile(self.place.open(name, size, lambda fetched: self._look_at(number, fetched)))
        if not self._looked_at[number]:
            self._look_at(number, file.descriptor)
        return file

    def _look_at(self, number: int, descriptor: int) -> None:
        images = self._count(number)
        size = self.layout.chunk_bytes(images)
        if (there := os.fstat(descriptor).st_size) != size:
            raise ChunkError(f"has {there:,} bytes, where {size:,} belong")
        try:
            self.layout.check(partial(read_into, descriptor), images, int(self._checksums[number]), self._labels)
        except OSError as error:
            raise ChunkError(f"can't be read: {error.strerror or error}") from error
        self._looked_at[number] = True

    def _fill(self, number: int, file: OpenFile, into: memoryview, offset: int) -> None:
        try:
            read_into(file.descriptor, into, offset)
        except OSError as error:
            reason = error.strerror or str(error)
            raise RunError(
                f"{self.place.where}/{chunk_name(self.part, number)} can't be read: {reason}.",
                "Go on by resume=RUN when it is there again.",
            ) from error

    def _count(self, number: int) -> int:
        return min(self.chunk, self.images - number * self.chunk)
