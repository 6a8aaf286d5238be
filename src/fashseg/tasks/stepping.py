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
from fashseg.metrics.totals import Totals
from fashseg.tasks.graphed import GraphedStep, Step


class Steppable(Protocol):
    """What is trained: a Task."""

    running: Totals
    step_function: Step | None
    graphed: bool

    @property
    def trainer(self) -> Trainer:
        """Lightning's."""

    @property
    def global_step(self) -> int:
        """Optimizer steps so far."""

    def prepared(self, batch: Batch, step: int) -> Batch:
        """The batch as it is trained on in a step."""

    def loss_of(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Loss, and the logits it is of."""

    def clip(self) -> None:
        """Shorten the gradient where it is too long."""


def train_on(task: Steppable, steps: Steps) -> None:
    """Take one optimizer step for each batch of ``steps``."""
    trainer = task.trainer
    schedules = [config.scheduler for config in trainer.lr_scheduler_configs]
    if task.step_function is None:
        step = _step_function(task)
        task.step_function = GraphedStep(step) if task.graphed else step
    first = task.global_step
    for number, batch in enumerate(steps):
        images, targets = task.prepared(batch, first + number)
        loss, logits = task.step_function(images, targets)
        task.running.update(loss, logits, targets)
        for schedule in schedules:
            schedule.step()
    _count(trainer, len(steps))


def _step_function(task: Steppable) -> Step:
    """Forward, backward and optimizer, all that is the same in each step."""
    (optimizer,) = task.trainer.optimizers

    def step(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        loss, logits = task.loss_of(images, targets)
        optimizer.zero_grad()
        # Lightning has opened one autocast block around all steps, which is for losses only, and which keeps the
        # casted weights to its end.
        with torch.autocast(loss.device.type, enabled=False):
            loss.backward()  # type: ignore[no-untyped-call]
            task.clip()
            optimizer.step()
        torch.clear_autocast_cache()
        return loss.detach(), logits.detach()

    return step


def align_counters(trainer: Trainer) -> None:
    """After a checkpoint was loaded: Lightning counts steps of its own loop and those taken here apart.

    A run that goes on in the other way would begin at step 0 again.
    """
    loop = trainer.fit_loop.epoch_loop
    own, taken = loop.automatic_optimization.optim_progress.optimizer.step, loop.manual_optimization.optim_step_progress
    most = max(own.total.completed, taken.total.completed)
    for progress in (own, taken):
        progress.total.ready = progress.total.completed = most


def _count(trainer: Trainer, steps: int) -> None:
    """Have Lightning know how many optimizer steps were taken: checkpoints and loggers go by ``global_step``."""
    progress = trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
    for tracker in (progress.total, progress.current):
        tracker.ready += steps
        tracker.completed += steps
