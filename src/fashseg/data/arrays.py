"""Images and targets as arrays of which batches are taken by index."""

import hashlib
import math
import os
import weakref
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

Batch = tuple[Tensor, Tensor]


class OpenFile:
    """A file descriptor that is closed when nobody needs it any more."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)


def read_into(descriptor: int, into: memoryview, offset: int) -> None:
    """Fill memory with what stands in a file from this byte on.

    Raises:
        OSError: it can't be read, or ends before.
    """
    while into:
        if hasattr(os, "preadv"):
            count = os.preadv(descriptor, [into], offset)
        else:  # macOS
            count = len(content := os.pread(descriptor, len(into), offset))
            into[:count] = content
        if not count:
            raise OSError("the file has been cut short")
        into, offset = into[count:], offset + count


class FileArray:
    """An array on disk of which rows are read when they are asked for: it takes no memory, however large it is.

    The part of a uint8 tensor's interface that `ArrayDataset` needs. Not mapped into memory, for mapped pages count as
    the process's own; and a file that has become unreadable is an OSError here and would kill the process there.

    Args:
        file: several arrays and threads may share it.
        shape: (N, ...).
        offset: of the first byte in the file.
    """

    device = torch.device("cpu")

    def __init__(self, file: OpenFile, shape: tuple[int, ...], offset: int) -> None:
        self.file, self.shape, self.offset = file, shape, offset
        self._row_bytes = math.prod(shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def index_select(self, dim: int, rows: Tensor) -> Tensor:
        """The rows of these numbers, int64, as a new tensor; dim is 0.

        Raises:
            IndexError: there is no such row.
            OSError: the file can't be read.
        """
        assert dim == 0
        wanted = rows.numpy()
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < len(self):
            raise IndexError(f"rows from {wanted.min()} to {wanted.max()} of an array with {len(self)}")
        content = np.empty((len(wanted), *self.shape[1:]), np.uint8)
        # Successive rows are read at once.
        ends = np.flatnonzero(np.diff(wanted) != 1) + 1
        for first, end in zip([0, *ends.tolist()], [*ends.tolist(), len(wanted)], strict=True):
            if end > first:
                offset = self.offset + int(wanted[first]) * self._row_bytes
                read_into(self.file.descriptor, content[first:end].reshape(-1).data, offset)
        return torch.from_numpy(content)


Array = Tensor | FileArray


class ArrayDataset:
    """Images and targets, of which some are used.

    Args:
        images: (N, C, H, W), uint8, on a device or on disk.
        targets: (N,) or (N, H, W), uint8, in the same place.
        indices: which of them, in this order; int64.
        window: height and width of the middle of each image that is looked at; None is all of it.

    A batch is a pair of uint8 images (B, C, H, W) and int64 targets, on the device of the arrays.
    """

    def __init__(self, images: Array, targets: Array, indices: Tensor, window: tuple[int, int] | None = None) -> None:
        self.images, self.targets, self.indices, self.window = images, targets, indices, window

    def __len__(self) -> int:
        return len(self.indices)

    def batch(self, indices: Tensor | Sequence[int]) -> Batch:
        """The items of these indices, from 0 to ``len(self) - 1``, as one batch."""
        images, targets = self.raw(self.rows(torch.as_tensor(indices, dtype=torch.int64)))
        return images, targets.long()

    def raw(self, rows: Tensor) -> Batch:
        """A batch by positions in the arrays, int64 on their device; the targets are uint8 still."""
        # Ten times as fast as images[rows] for uint8.
        return self._seen(self.images.index_select(0, rows)), self._seen(self.targets.index_select(0, rows))

    def rows(self, positions: Tensor) -> Tensor:
        """Where in the arrays the items of these indices are, int64, where the arrays are."""
        return self.indices.index_select(0, positions.to(self.indices.device))

    @property
    def device(self) -> torch.device:
        """Where the arrays are."""
        return self.indices.device

    @property
    def item_bytes(self) -> int:
        """Bytes of an image and its target."""
        return math.prod(self.images.shape[1:]) + math.prod(self.targets.shape[1:])

    @property
    def on_disk(self) -> bool:
        """Whether batches are read from disk."""
        return isinstance(self.images, FileArray)

    def to(self, device: torch.device | str) -> "ArrayDataset":
        """The same items with all arrays on a device."""
        if isinstance(self.images, FileArray) or isinstance(self.targets, FileArray):
            raise TypeError("arrays on disk are not moved; move their batches")
        return ArrayDataset(self.images.to(device), self.targets.to(device), self.indices.to(device), self.window)

    def first(self, count: int | None) -> "ArrayDataset":
        """The first so many; None is all of them."""
        return ArrayDataset(self.images, self.targets, self.indices[:count], self.window)

    def drawn(self, count: int, seed: int) -> "ArrayDataset":
        """So many at random, or all where there are fewer, in their order: always the same ones."""
        picked = np.sort(np.random.default_rng(seed).permutation(len(self))[:count])
        return ArrayDataset(self.images, self.targets, self.indices[torch.from_numpy(picked)], self.window)

    def spread(self, count: int) -> Tensor:
        """The indices of so many items from all over, int64."""
        return torch.linspace(0, len(self) - 1, count).round().long()

    def ahead(self, chunks: Iterable[int]) -> None:
        """Begin to fetch what will be needed soon, where the data set is in chunks."""

    def whole(self) -> "ArrayDataset":
        """The same items, all of each image."""
        return ArrayDataset(self.images, self.targets, self.indices)

    def _seen(self, batch: Tensor) -> Tensor:
        """The middle of images or masks; what has no height and width has none."""
        if self.window is None or batch.ndim < 3:
            return batch
        (height, width), (high, wide) = batch.shape[-2:], self.window
        return batch[..., (top := (height - high) // 2) : top + high, (left := (width - wide) // 2) : left + wide]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the images and targets that are used, in their order, all of each."""
        digest = hashlib.sha256(repr((tuple(self.images.shape[1:]), tuple(self.targets.shape[1:]))).encode())
        for array in (self.images, self.targets):
            for rows in torch.split(self.indices, 256):
                digest.update(array.index_select(0, rows).cpu().numpy().data)
        return digest.hexdigest()

    def class_counts(self, classes: int, ignore: int | None = None) -> list[int]:
        """Number of images, or of pixels, of each class; labels of ``ignore`` count for nothing."""
        counts = torch.zeros(classes, dtype=torch.int64)
        for rows in torch.split(self.indices, 256):
            labels = self._seen(self.targets.index_select(0, rows)).cpu().flatten().long()
            counts += torch.bincount(labels, minlength=classes)[:classes]
        if ignore is not None and ignore < classes:
            counts[ignore] = 0
        return counts.tolist()
