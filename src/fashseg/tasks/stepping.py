"""Many training steps in one call of Lightning's loop.

Lightning's loop costs a quarter of a millisecond a step beside hooks and callbacks, which a small network feels. So
the data module hands it the batches of several steps at once, and they are worked off here: the same operations in the
same order as in Lightning's own loop, which comes to the same weights, bit for bit.
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol, cast

import torch
from pytorch_lightning import Trainer
from torch import Tensor

from fashseg.data.arrays import Batch
from fashseg.data.loading import Steps, TrainLoader
from fashseg.metrics.totals import Totals
from fashseg.tasks.averaging import Average
from fashseg.tasks.graphed import GraphedStep, Step
from fashseg.tasks.guard import DeferredGuard, Guard, NotFiniteError


class Steppable(Protocol):
    """What is trained: a Task."""

    running: Totals
    stepper: "Stepper | None"
    graphed: bool
    guard: Guard
    pending: "Pending | None"
    average: Average | None

    @property
    def trainer(self) -> Trainer:
        """Lightning's."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""

    @property
    def global_step(self) -> int:
        """Optimizer steps so far."""

    def prepared(self, batch: Batch, step: int) -> Batch:
        """The batch as it is trained on in a step."""

    def loss_of(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Loss, and the logits it is of."""

    def clip(self) -> None:
        """Shorten the gradient where it is too long."""

    @property
    def current_epoch(self) -> int:
        """From 0."""


def waits_for_no_one(device: torch.device) -> bool:
    """Whether a loss can be read as soon as its step is called."""
    return device.type == "cpu"


class Stepper:
    """Takes the steps of a task.

    Args:
        task: what is trained.
    """

    def __init__(self, task: Steppable) -> None:
        self.task = task
        (self.optimizer,) = task.trainer.optimizers
        at_once = not task.graphed and (task.guard.skip or waits_for_no_one(task.device))
        self.deferred = None if at_once else DeferredGuard(self.optimizer, task.device)
        self.step: Step = GraphedStep(self._step) if task.graphed else self._step

    def train_on(self, steps: Steps) -> None:
        """Take one optimizer step for each batch of ``steps``.

        Raises:
            NotFiniteError: the loss of one is not finite, and ``on_nan=stop``.
        """
        task, first = self.task, self.task.global_step
        schedules = [config.scheduler for config in task.trainer.lr_scheduler_configs]
        for number, batch in enumerate(steps):
            images, targets = task.prepared(batch, first + number)
            task.guard.before()
            loss, logits = self.step(images, targets)
            if self.deferred or task.guard.lets_pass(loss):
                task.running.update(loss, logits, targets)
            elif task.guard.skip:
                task.guard.leave_out(first + number + 1)
            else:
                raise _not_finite(task, loss, first + number + 1, steps.indices[number])
            if task.average:  # outside of what is recorded, for its share changes from step to step
                task.average.follow(first + number + 1)
            for schedule in schedules:
                schedule.step()
        if self.deferred and (bad := self.deferred.first_bad()) is not None:
            self._end_at(steps, first, bad)
        _count(task.trainer, len(steps))

    def _end_at(self, steps: Steps, first: int, bad: int) -> None:
        """The weights are as they were before that step: its gradient comes again."""
        batch = next(batch for number, batch in enumerate(steps) if number == bad)
        loss = self._gradient(*self.task.prepared(batch, first + bad))[0]
        raise _not_finite(self.task, loss, first + bad + 1, steps.indices[bad])

    def _gradient(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        loss, logits = self.task.loss_of(images, targets)
        self.optimizer.zero_grad()
        # Lightning has opened one autocast block around all steps, which is for losses only, and which keeps the
        # casted weights to its end.
        with torch.autocast(loss.device.type, enabled=False):
            loss.backward()  # type: ignore[no-untyped-call]
        torch.clear_autocast_cache()
        return loss.detach(), logits.detach()

    def _step(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Forward, backward and, where the loss is finite, the optimizer."""
        loss, logits = self._gradient(images, targets)
        if self.deferred:
            self.deferred.look(loss)
        elif not self.task.guard.lets_pass(loss):
            return loss, logits
        with torch.autocast(loss.device.type, enabled=False):
            self.task.clip()
            self.optimizer.step()
        return loss, logits


@dataclass
class Pending:
    """A step of Lightning's own loop before the weights follow it: loss, logits and targets of a batch of the epoch.

    Several processes average their gradients. Each multiplies its loss, a mean over what it has of the step, by
    ``weight``, so that the average is that of the mean over the whole step, also where they have unequally much.
    """

    batch: int
    loss: Tensor
    logits: Tensor
    targets: Tensor
    weight: Tensor | float = 1.0

    @classmethod
    def of(
        cls, trainer: Trainer, batch: int, loss: Tensor, logits: Tensor, targets: Tensor, ignore: int | None
    ) -> "Pending":
        """With the weight of this process's part; where it has none, nothing is counted."""
        loss, logits = loss.detach(), logits.detach()
        if trainer.world_size == 1:
            return cls(batch, loss, logits, targets)
        own, whole = cast(TrainLoader, trainer.train_dataloader).share(batch)
        if not own:
            targets, logits = targets[:0], logits[:0]
        weight: Tensor | float = own * trainer.world_size / whole
        if ignore is not None:
            counted = (targets != ignore).sum().to(loss.dtype)
            weight = (
                counted * trainer.world_size / trainer.strategy.reduce(counted.clone(), reduce_op="sum").clamp(min=1)
            )
        return cls(batch, loss, logits, targets, weight)


def take_or_leave(task: Steppable, optimizer: Any) -> None:
    """In Lightning's own loop: count the step, or leave it out, or end the run.

    All processes come to the same answer, for gradients are of all of them together. Those of float16 are now and then
    infinite until their scale is found, and left out by its scaler; there the losses are looked at.

    Raises:
        NotFiniteError: the step can't be taken, and ``on_nan=stop``.
    """
    trainer, pending = task.trainer, task.pending
    assert pending is not None
    scaled = trainer.precision == "16-mixed"
    losses = trainer.strategy.reduce(pending.loss.clone(), reduce_op="sum") if scaled else None
    taken = math.isfinite(task.guard.gradient_norm() if losses is None else losses.item())
    step = task.global_step + 1
    if taken:
        task.running.update(pending.loss, pending.logits, pending.targets)
    elif task.guard.skip:
        task.guard.leave_out(step)
    else:
        loader = cast(TrainLoader, trainer.train_dataloader)
        loss = (
            pending.loss
            if trainer.world_size == 1
            else trainer.strategy.reduce(pending.loss * pending.weight, reduce_op="mean")
        )
        raise _not_finite(task, loss, step, loader.rows(of_all=True)[pending.batch])
    if not scaled:
        optimizer.found_inf = torch.tensor(float(not taken), device=task.device)


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


def _not_finite(task: Steppable, loss: Tensor, step: int, images: Tensor) -> NotFiniteError:
    """The error of a step whose gradients are there still."""
    return NotFiniteError(
        step=step,
        epoch=task.current_epoch + 1,
        loss=loss.item(),
        gradient_norm=task.guard.gradient_norm(),
        images=images.tolist(),
    )
