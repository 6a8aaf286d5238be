"""The LightningDataModule of every data set: whole batches of uint8 by index, in an order that the seed fixes."""

import logging
import os
from collections.abc import Sequence
from typing import Any

import torch
from pytorch_lightning import LightningDataModule

from fashseg import config as cfg
from fashseg.data.arrays import ArrayDataset
from fashseg.data.loading import EvalLoader, TrainLoader
from fashseg.data.residence import fits_on_device
from fashseg.data.source import Opened, shared_groups, split_indices
from fashseg.data.sources import open_source
from fashseg.data.stored import Set, load

log = logging.getLogger(__name__)

MOST_WORKERS = 4
"""Reading decoded images waits for the disk; more threads than these wait for each other."""


class ImageDataModule(LightningDataModule):
    """Reads a data set, holds out validation images, and serves the parts.

    Args:
        data: options of the data set.
        batch_size: training images a step, of each process.
        eval_batch_size: images a step elsewhere.
        eval_train: whether, or on how many batches, the training loss on fixed weights is measured.
        seed: of the order of the training images; the order of an epoch depends on nothing else.
        overfit_batches: use only the first batches of the training images, for everything.
        steps_per_call: None trains on a batch at a time, a number on `Steps` of so many.
        limit_batches: train on so many batches an epoch, and score so many; Lightning's own limit would count calls in
            training, and elsewhere batches of each process.
        cycle: epochs after which the orders of the training images come again; None is never.

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
        cycle: int | None = None,
    ) -> None:
        super().__init__()
        self.options = data
        self.batch_size, self.eval_batch_size, self.seed = batch_size, eval_batch_size, seed
        self.eval_train, self.overfit_batches = eval_train, overfit_batches
        self.steps_per_call, self.limit_batches, self.cycle = steps_per_call, limit_batches, cycle
        self.source = open_source(data)
        self.info = self.source.info
        self._parts: dict[str, ArrayDataset] = {}
        self._opened: Opened
        self._moved: dict[tuple[int, torch.device], Set] = {}
        self._fits: dict[torch.device, bool] = {}
        self.shared_groups: int | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Number of images by part."""
        return {name: len(self._parts[name]) for name in ("train", "val", "test")}

    @property
    def partial(self) -> bool:
        """Whether the data set is not complete, so that its scores compare with no other; after :meth:`setup`."""
        return self._opened.partial

    @property
    def split(self) -> str:
        """How validation images were held out; after :meth:`setup`."""
        return self._opened.split

    def part(self, name: str) -> ArrayDataset:
        """Images and targets of ``train``, ``val``, ``test`` or ``train_fixed``, after :meth:`setup`."""
        return self._parts[name]

    @property
    def found(self) -> Sequence[str]:
        """Sentences on what was found in the folder of the data set, where that is not known beforehand."""
        return self.source.found(self.options) if self.source.found else ()

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of each part, images and targets in their order: equal for equal data and an equal split."""
        return {name: self._parts[name].fingerprint for name in ("train", "val", "test")}

    def changed(self, known: Any) -> list[str]:
        """Parts that have other images than `fingerprints` of before, as results.json has them, say.

        What has none, in files of earlier versions, is not compared.
        """
        before = known if isinstance(known, dict) else {}
        names = [name for name in ("train", "val", "test") if name in before]
        return [name for name in names if before[name] != self._parts[name].fingerprint]

    def prepare_data(self) -> None:
        """Fetch what is missing, on one process a machine."""
        self.setup()

    def setup(self, stage: str | None = None) -> None:
        """Read and split, once."""
        del stage
        if self._parts:
            return
        opened = self.source.opened(self.options) if self.source.opened else self._read()
        parts = dict(opened.parts)
        self.shared_groups = None if self.overfit_batches else opened.shared_groups
        if self.overfit_batches:
            parts = dict.fromkeys(parts, parts["train"].first(self.overfit_batches * self.batch_size))
        # The training images on which the loss on fixed weights is measured: always the same ones.
        count = len(parts["train"]) if self.eval_train is True else int(self.eval_train) * self.eval_batch_size
        parts["train_fixed"] = parts["train"].drawn(count, self.options.split_seed)
        self._parts, self._opened = parts, opened
        log.info("the data set has %.1f MB, %s", opened.size / 1e6, "on disk" if self._on_disk else "in memory")

    def _read(self) -> Opened:
        """A data set of arrays, read and split."""
        stored = load(self.source, self.options)
        found = len(stored.train.images), len(stored.test.images)
        train, val = split_indices(self.source, self.options, found[0])
        # Of larger images, windows are drawn in training; all else looks at their middle.
        window = self.info.shape[1:] if self.source.kept else None
        parts = {
            "train": ArrayDataset(*stored.train, torch.from_numpy(train), window),
            "val": ArrayDataset(*stored.train, torch.from_numpy(val), window),
            "test": ArrayDataset(*stored.test, torch.arange(found[1])),
        }
        partial = self.source.complete is not None and found != self.source.complete
        shared = shared_groups(self.source, self.options, train, val)
        return Opened(parts, stored.size, self.options.split, shared, partial)

    def train_dataloader(self) -> TrainLoader:
        """Training images in a new order each epoch."""
        rank, world = self._rank()
        part, device = self._where_needed("train")
        order = None if self.overfit_batches else self._opened.order
        loader = TrainLoader(
            part.whole(),
            self.batch_size,
            seed=self.seed,
            rank=rank,
            world=world,
            steps_per_call=self.steps_per_call,
            limit_batches=self.limit_batches,
            workers=self.workers,
            device=device,
            order=order(self.seed, rank, world) if order else None,
        )
        loader.sampler.cycle = self.cycle
        return loader

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
        images, device = self._where_needed(part)
        if self.limit_batches is not None:  # of all processes together, as many as one alone would look at
            images = images.first(self.limit_batches * self.eval_batch_size)
        return EvalLoader(images, self.eval_batch_size, rank=rank, world=world, workers=self.workers, device=device)

    @property
    def workers(self) -> int:
        """Threads that read ahead what is on disk."""
        if self.options.workers is not None:
            return self.options.workers
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(cores, MOST_WORKERS)

    @property
    def _on_disk(self) -> bool:
        return self._parts["train"].on_disk

    def _where_needed(self, name: str) -> tuple[ArrayDataset, torch.device | None]:
        """A part on the trainer's device if the data set fits there; else the device that its batches are moved to."""
        part = self._parts[name]
        device = self.trainer.strategy.root_device if self.trainer else torch.device("cpu")
        if device.type == "cpu":
            return part, None
        if device not in self._fits:
            self._fits[device] = not part.on_disk and fits_on_device(self.options.resident, self._opened.size, device)
            log.info("the data set %s on %s", "is" if self._fits[device] else "is not", device)
        if not self._fits[device]:
            return part, device
        key = id(part.images), device  # several parts are of the same arrays
        if key not in self._moved:
            moved = part.to(device)
            self._moved[key] = Set(moved.images, moved.targets)
        return ArrayDataset(*self._moved[key], part.indices.to(device), part.window), None

    def _rank(self) -> tuple[int, int]:
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
