"""The LightningDataModule of every data set: whole batches of uint8 by index, in an order that the seed fixes."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler, Sampler

from fashseg import config as cfg
from fashseg.data.info import Arrays
from fashseg.data.sources import SOURCES, shared_groups, split_indices
from fashseg.errors import UserError

Batch = tuple[Tensor, Tensor]


class ArrayDataset(Dataset[Batch]):
    """Images and targets in memory, of which some are used.

    Args:
        images: (N, C, H, W), uint8.
        targets: (N,) or (N, H, W), uint8.
        indices: which of them, in this order; int64.

    Items are batches: uint8 images (B, C, H, W) and int64 targets.
    """

    def __init__(self, images: Tensor, targets: Tensor, indices: Tensor) -> None:
        self.images, self.targets, self.indices = images, targets, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Batch:
        return self.batch([index])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        return self.batch(indices)

    def batch(self, indices: Sequence[int]) -> Batch:
        """The items of these indices as one batch."""
        picked = self.indices[torch.as_tensor(indices)]
        return self.images[picked], self.targets[picked].long()

    def first(self, count: int | None) -> "ArrayDataset":
        """The first so many; None is all of them."""
        return ArrayDataset(self.images, self.targets, self.indices[:count])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the images and targets that are used, in their order."""
        digest = hashlib.sha256(repr((tuple(self.images.shape[1:]), tuple(self.targets.shape[1:]))).encode())
        for array in (self.images, self.targets):
            for indices in torch.split(self.indices, 256):
                digest.update(array[indices].numpy().tobytes())
        return digest.hexdigest()

    def class_counts(self, classes: int) -> list[int]:
        """Number of images, or of pixels, of each class."""
        counts = torch.zeros(classes, dtype=torch.int64)
        for indices in torch.split(self.indices, 256):
            counts += torch.bincount(self.targets[indices].flatten().long(), minlength=classes)[:classes]
        return counts.tolist()


class ShardSampler(Sampler[int]):
    """Every ``world``-th image from ``rank`` on: all ranks together see each image exactly once."""

    def __init__(self, images: int, rank: int, world: int) -> None:
        self.shard = range(rank, images, world)

    def __iter__(self) -> Iterator[int]:
        return iter(self.shard)

    def __len__(self) -> int:
        return len(self.shard)


class ImageDataModule(LightningDataModule):
    """Reads a data set, holds out validation images, and serves the parts.

    Args:
        data: options of the data set.
        batch_size: training images a step.
        eval_batch_size: images a step elsewhere.
        eval_train: whether, or on how many batches, the training loss on fixed weights is measured.
        seed: of the order of the training images; the order of an epoch depends on nothing else.
        overfit_batches: use only the first batches of the training images, for everything.

    Attributes:
        info: facts about the data set.
        counts: number of images by part, after :meth:`setup`.
    """

    def __init__(
        self,
        data: cfg.Data,
        *,
        batch_size: int = 64,
        eval_batch_size: int = 500,
        eval_train: bool | int = False,
        seed: int = 0,
        overfit_batches: int | None = None,
    ) -> None:
        super().__init__()
        self.options = data
        self.batch_size, self.eval_batch_size, self.seed = batch_size, eval_batch_size, seed
        self.eval_train, self.overfit_batches = eval_train, overfit_batches
        self.source = SOURCES[data.name]
        self.info = self.source.info
        self._parts: dict[str, ArrayDataset] = {}
        self.shared_groups: int | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Number of images by part."""
        return {name: len(self._parts[name]) for name in ("train", "val", "test")}

    def part(self, name: str) -> ArrayDataset:
        """Images and targets of ``train``, ``val``, ``test`` or ``train_fixed``, after :meth:`setup`."""
        return self._parts[name]

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of each part, images and targets in their order: equal for equal data and an equal split."""
        return {name: self._parts[name].fingerprint for name in ("train", "val", "test")}

    def prepare_data(self) -> None:
        """Fetch what is missing, on one process a machine."""
        self.setup()

    def setup(self, stage: str | None = None) -> None:
        """Read and split, once."""
        del stage
        if self._parts:
            return
        train_set, test_set = self.source.read(self.options)
        train, val = split_indices(self.source, self.options, len(train_set.images))
        self.shared_groups = None if self.overfit_batches else shared_groups(self.source, train, val)
        images, targets = _tensors(train_set)
        parts = {
            "train": ArrayDataset(images, targets, torch.from_numpy(train)),
            "val": ArrayDataset(images, targets, torch.from_numpy(val)),
        }
        images, targets = _tensors(test_set)
        parts["test"] = ArrayDataset(images, targets, torch.arange(len(images)))
        if self.overfit_batches:
            first = parts["train"].indices[: self.overfit_batches * self.batch_size]
            part = ArrayDataset(parts["train"].images, parts["train"].targets, first)
            parts = dict.fromkeys(parts, part)
        parts["train_fixed"] = self._fixed_part(parts["train"])
        self._check(parts)
        self._parts = parts

    def _fixed_part(self, train: ArrayDataset) -> ArrayDataset:
        """The training images on which the loss on fixed weights is measured: always the same ones."""
        count = len(train) if self.eval_train is True else int(self.eval_train) * self.eval_batch_size
        picked = np.random.default_rng(self.options.split_seed).permutation(len(train))[:count]
        return ArrayDataset(train.images, train.targets, train.indices[torch.from_numpy(np.sort(picked))])

    def _check(self, parts: dict[str, ArrayDataset]) -> None:
        classes = len(self.info.class_names)
        for name, part in parts.items():
            if len(part) and int(part.targets.max()) >= classes:
                raise UserError(
                    f"data={self.info.name}: a {name} target has the value {int(part.targets.max())}, "
                    f"but there are {classes} classes.",
                    "Values count from 0; mend the labels.",
                )

    def train_dataloader(self) -> DataLoader[Batch]:
        """Training images in a new order each epoch."""
        rank, world = self._rank()
        sampler: Any = DistributedSampler(self._parts["train"], world, rank, shuffle=True, seed=self.seed)
        return self._loader(self._parts["train"], self.batch_size, sampler)

    def val_dataloader(self) -> list[DataLoader[Batch]]:
        """Validation images and, where asked for, training images to measure on fixed weights."""
        loaders = [self.eval_dataloader("val")]
        if len(self._parts["train_fixed"]):
            loaders.append(self.eval_dataloader("train_fixed"))
        return loaders

    def test_dataloader(self) -> DataLoader[Batch]:
        """Test images."""
        return self.eval_dataloader("test")

    def eval_dataloader(self, part: str) -> DataLoader[Batch]:
        """One part in its order: ``train``, ``val``, ``test`` or ``train_fixed``."""
        rank, world = self._rank()
        images = self._parts[part]
        return self._loader(images, self.eval_batch_size, ShardSampler(len(images), rank, world))

    def _loader(self, part: ArrayDataset, batch_size: int, sampler: Sampler[int]) -> DataLoader[Batch]:
        return DataLoader(part, batch_size, sampler=sampler, collate_fn=_as_is)

    def _rank(self) -> tuple[int, int]:
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)


def _tensors(arrays: Arrays) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(arrays.images), torch.from_numpy(arrays.targets)


def _as_is(batch: Any) -> Any:
    """The data set already serves whole batches."""
    return batch
