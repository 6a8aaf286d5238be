"""The order of the training images, which seed and epoch alone fix."""

from collections.abc import Callable

import torch
from torch import Tensor

from fashseg.data.arrays import ArrayDataset


class EpochOrder:
    """The order of the training images in each epoch, the same for all processes that train together.

    That of torch's DistributedSampler, but as one tensor: a permutation by the generator of ``seed + epoch``.

    Args:
        images: number of training images.
        seed: of the order.
        rank: of this process.
        world: number of processes.

    Attributes:
        together: whether the images of each step are shared out; else each process has an order of its own.
        cycle: epochs after which their orders come again; None is never.
    """

    together = True
    cycle: int | None = None

    def __init__(self, images: int, seed: int, rank: int = 0, world: int = 1) -> None:
        self.images, self.seed, self.rank, self.world = images, seed, rank, world
        self.epoch = 0

    def __len__(self) -> int:
        return self.images

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, from 0; Lightning calls it before each one."""
        self.epoch = epoch

    @property
    def drawn(self) -> int:
        """The first epoch that has this epoch's order."""
        return self.epoch % self.cycle if self.cycle else self.epoch

    def order(self) -> Tensor:
        """This epoch's indices, int64."""
        return torch.randperm(self.images, generator=torch.Generator().manual_seed(self.seed + self.drawn))

    def rows_of(self, part: ArrayDataset) -> Callable[[int, int], Tensor]:
        """From a range of this epoch's places to where in the arrays of a part these images are."""
        rows = part.rows(self.order())
        return lambda first, last: rows[first:last]

    @property
    def plan(self) -> dict[str, int]:
        """What the order follows from."""
        return {"images": self.images, "seed": self.seed, "processes": self.world}
