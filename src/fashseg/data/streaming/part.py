"""A part of a data set in chunks, as loaders, scores and pages take it: like `ArrayDataset`, without arrays."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from fashseg.data.arrays import ArrayDataset, Batch
from fashseg.data.streaming.chunks import Chunks
from fashseg.data.streaming.description import Part

_FEW_CHUNKS = 8
"""That a sample is taken from where one from all over would fetch too many of them."""


class ChunkedPart(ArrayDataset):
    """Images and targets in chunks, of which some are used.

    Args:
        chunks: where they are read.
        known: what the data set tells about all of them.
        chosen: which are used, in this order, int64; None is all, for which no numbers are kept.
        window: height and width of the middle of each image that is looked at; None is all of it.
        near: whether a sample is taken from a few chunks, and not from all over.
    """

    def __init__(
        self,
        chunks: Chunks,
        known: Part,
        chosen: Tensor | None = None,
        window: tuple[int, int] | None = None,
        near: bool = False,
    ) -> None:
        self.chunks, self.known, self.chosen, self.window, self.near = chunks, known, chosen, window, near

    def __len__(self) -> int:
        return self.chunks.images if self.chosen is None else len(self.chosen)

    def raw(self, rows: Tensor) -> Batch:
        """A batch by numbers of images; the targets are uint8 still."""
        images, targets = self.chunks.read(rows)
        return self._seen(images), self._seen(targets)

    def rows(self, positions: Tensor) -> Tensor:
        """The numbers of the images of these indices, int64."""
        return positions if self.chosen is None else self.chosen.index_select(0, positions)

    @property
    def device(self) -> torch.device:
        """Where batches are read to."""
        return torch.device("cpu")

    @property
    def item_bytes(self) -> int:
        """Bytes of an image and its target."""
        return self.chunks.layout.image_bytes

    @property
    def on_disk(self) -> bool:
        """They are."""
        return True

    def to(self, device: torch.device | str) -> ArrayDataset:
        """Not possible."""
        raise TypeError("images in chunks are not moved; move their batches")

    def first(self, count: int | None) -> "ChunkedPart":
        """The first so many; None is all of them."""
        if count is None or count >= len(self):
            return self
        return self._of(torch.arange(count))

    def drawn(self, count: int, seed: int) -> "ChunkedPart":
        """So many at random, or all where there are fewer, in their order."""
        if count >= len(self):
            return self
        random = np.random.default_rng(seed)
        if not self.near or len(self.chunks) <= _FEW_CHUNKS or self.chosen is not None:
            return self._of(torch.from_numpy(np.sort(random.permutation(len(self))[:count])))
        picked = np.sort(
            random.choice(len(self.chunks), max(_FEW_CHUNKS, -(-count // self.chunks.chunk)), replace=False)
        )
        near = np.concatenate([self._of_chunk(int(number)) for number in picked])
        return self._of(torch.from_numpy(np.sort(random.permutation(near)[:count])))

    def spread(self, count: int) -> Tensor:
        """The indices of so many items from all over the first chunks, int64."""
        return torch.linspace(0, min(len(self), _FEW_CHUNKS * self.chunks.chunk) - 1, count).round().long()

    def whole(self) -> "ChunkedPart":
        """The same items, all of each image."""
        return ChunkedPart(self.chunks, self.known, self.chosen, near=self.near)

    def in_memory(self) -> ArrayDataset:
        """The same items, read to the last one."""
        count, layout = len(self), self.chunks.layout
        images = torch.empty(count, *layout.image, dtype=torch.uint8)
        targets = torch.empty(count, *layout.target, dtype=torch.uint8)
        for numbers in torch.split(torch.arange(count), self.chunks.chunk):
            images[numbers], targets[numbers] = self.chunks.read(self.rows(numbers))
        return ArrayDataset(images, targets, torch.arange(count), self.window)

    def ahead(self, chunks: Iterable[int]) -> None:
        """Begin to fetch chunks that will be needed soon."""
        self.chunks.ahead(chunks)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the images and targets in memory; that of all is known."""
        return self.known.fingerprint if self.chosen is None else self.in_memory().fingerprint

    def class_counts(self, classes: int, ignore: int | None = None) -> list[int]:
        """Number of images, or of pixels, of each class; labels of ``ignore`` count for nothing."""
        return list(self.known.class_counts) if self.chosen is None else self.in_memory().class_counts(classes, ignore)

    def _of(self, positions: Tensor) -> "ChunkedPart":
        return ChunkedPart(self.chunks, self.known, self.rows(positions), self.window, self.near)

    def _of_chunk(self, number: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        first = number * self.chunks.chunk
        return np.arange(first, min(first + self.chunks.chunk, self.chunks.images))
