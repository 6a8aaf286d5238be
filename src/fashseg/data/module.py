"""The LightningDataModule of every data set: whole batches of uint8 by index, in an order that the seed fixes."""

import numpy as np
import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor

from fashseg import config as cfg
from fashseg.data.arrays import ArrayDataset
from fashseg.data.info import Arrays
from fashseg.data.loading import EvalLoader, TrainLoader
from fashseg.data.sources import SOURCES, shared_groups, split_indices
from fashseg.errors import UserError


class ImageDataModule(LightningDataModule):
    """Reads a data set, holds out validation images, and serves the parts.

    Args:
        data: options of the data set.
        batch_size: training images a step.
        eval_batch_size: images a step elsewhere.
        eval_train: whether, or on how many batches, the training loss on fixed weights is measured.
        seed: of the order of the training images; the order of an epoch depends on nothing else.
        overfit_batches: use only the first batches of the training images, for everything.
        steps_per_call: None trains on a batch at a time, a number on `Steps` of so many.
        limit_batches: train on so many batches an epoch; Lightning's limit_train_batches would count calls.

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
        steps_per_call: int | None = None,
        limit_batches: int | None = None,
    ) -> None:
        super().__init__()
        self.options = data
        self.batch_size, self.eval_batch_size, self.seed = batch_size, eval_batch_size, seed
        self.eval_train, self.overfit_batches = eval_train, overfit_batches
        self.steps_per_call, self.limit_batches = steps_per_call, limit_batches
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

    def train_dataloader(self) -> TrainLoader:
        """Training images in a new order each epoch."""
        rank, world = self._rank()
        return TrainLoader(
            self._parts["train"],
            self.batch_size,
            seed=self.seed,
            rank=rank,
            world=world,
            steps_per_call=self.steps_per_call,
            limit_batches=self.limit_batches,
        )

    def val_dataloader(self) -> list[EvalLoader]:
        """Validation images and, where asked for, training images to measure on fixed weights."""
        loaders = [self.eval_dataloader("val")]
        if len(self._parts["train_fixed"]):
            loaders.append(self.eval_dataloader("train_fixed"))
        return loaders

    def test_dataloader(self) -> EvalLoader:
        """Test images."""
        return self.eval_dataloader("test")

    def eval_dataloader(self, part: str) -> EvalLoader:
        """One part in its order: ``train``, ``val``, ``test`` or ``train_fixed``."""
        rank, world = self._rank()
        return EvalLoader(self._parts[part], self.eval_batch_size, rank=rank, world=world)

    def _rank(self) -> tuple[int, int]:
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)


def _tensors(arrays: Arrays) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(arrays.images), torch.from_numpy(arrays.targets)
