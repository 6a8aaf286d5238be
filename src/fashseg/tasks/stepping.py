"""Many training steps in one call of Lightning's loop.

Lightning's loop costs a quarter of a millisecond a step beside hooks and callbacks, which a small network feels. So
the data module hands it the batches of several steps at once, and they are worked off here: the same operations in the
same order as in Lightning's own loop, which comes to the same weights, bit for bit.
"""

from typing import Protocol

import torch
from pytorch_lightning import Trainer
from torch import Tensor

from fashseg.data.arrays import Batch
from fashseg.data.loading import Steps


class Steppable(Protocol):
    """What is trained: a Task."""

    @property
    def trainer(self) -> Trainer:
        """Lightning's."""

    @property
    def global_step(self) -> int:
        """Optimizer steps so far."""

    def training_loss(self, batch: Batch, step: int) -> Tensor:
        """Loss of one batch, with a graph."""

    def clip(self) -> None:
        """Shorten the gradient where it is too long."""


def train_on(task: Steppable, steps: Steps) -> None:
    """Take one optimizer step for each batch of ``steps``."""
    trainer = task.trainer
    (optimizer,) = trainer.optimizers
    schedules = [config.scheduler for config in trainer.lr_scheduler_configs]
    first = task.global_step
    for number, batch in enumerate(steps):
        loss = task.training_loss(batch, first + number)
        optimizer.zero_grad()
        # Lightning has opened one autocast block around all steps, which is for losses only, and which keeps the
        # casted weights to its end.
        with torch.autocast(loss.device.type, enabled=False):
            loss.backward()  # type: ignore[no-untyped-call]
            task.clip()
            optimizer.step()
        torch.clear_autocast_cache()
        for schedule in schedules:
            schedule.step()
    _count(trainer, len(steps))


def _count(trainer: Trainer, steps: int) -> None:
    """Have Lightning know how many optimizer steps were taken: checkpoints and loggers go by ``global_step``."""
    total = trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress.total
    current = trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress.current
    for progress in (total, current):
        progress.ready += steps
        progress.completed += steps
