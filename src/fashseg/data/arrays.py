"""Images and targets as arrays of which batches are taken by index."""

import hashlib
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

Batch = tuple[Tensor, Tensor]


class ArrayDataset:
    """Images and targets, of which some are used.

    Args:
        images: (N, C, H, W), uint8.
        targets: (N,) or (N, H, W), uint8; on the same device.
        indices: which of them, in this order; int64.

    A batch is a pair of uint8 images (B, C, H, W) and int64 targets, on the device of the arrays.
    """

    def __init__(self, images: Tensor, targets: Tensor, indices: Tensor) -> None:
        self.images, self.targets, self.indices = images, targets, indices

    def __len__(self) -> int:
        return len(self.indices)

    def batch(self, indices: Tensor | Sequence[int]) -> Batch:
        """The items of these indices, from 0 to ``len(self) - 1``, as one batch."""
        return self.rows(self.indices[torch.as_tensor(indices, device=self.indices.device)])

    def rows(self, rows: Tensor) -> Batch:
        """A batch by positions in the arrays: int64, on their device."""
        # Ten times as fast as images[rows] for uint8.
        return self.images.index_select(0, rows), self.targets.index_select(0, rows).long()

    def to(self, device: torch.device | str) -> "ArrayDataset":
        """The same items with all arrays on a device."""
        return ArrayDataset(self.images.to(device), self.targets.to(device), self.indices.to(device))

    def first(self, count: int | None) -> "ArrayDataset":
        """The first so many; None is all of them."""
        return ArrayDataset(self.images, self.targets, self.indices[:count])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the images and targets that are used, in their order."""
        digest = hashlib.sha256(repr((tuple(self.images.shape[1:]), tuple(self.targets.shape[1:]))).encode())
        for array in (self.images, self.targets):
            for rows in torch.split(self.indices, 256):
                digest.update(array.index_select(0, rows).cpu().numpy().data)
        return digest.hexdigest()

    def class_counts(self, classes: int) -> list[int]:
        """Number of images, or of pixels, of each class."""
        counts = torch.zeros(classes, dtype=torch.int64)
        for rows in torch.split(self.indices, 256):
            labels = self.targets.index_select(0, rows).cpu().flatten().long()
            counts += torch.bincount(labels, minlength=classes)[:classes]
        return counts.tolist()
