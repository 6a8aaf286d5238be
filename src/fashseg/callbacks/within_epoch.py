"""Checkpoints within an epoch: every so many seconds, and when the process is asked to end."""

import time
from pathlib import Path
from typing import Any, cast

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback

from fashseg.ranks.group import average_buffers
from fashseg.stopping import Stopped, StopRequest
from fashseg.tasks import Task

_BATCHES_BETWEEN_AGREEMENTS = 16


class SaveWithinEpoch(Callback):
    """Saves between two training steps, or between training and validation; raises `Stopped` where that was asked.

    A run that goes on from such a checkpoint takes the same steps as one that was never stopped. What validation has
    done of an epoch is not saved: it begins anew.

    Args:
        path: of the checkpoint.
        every_seconds: how often; None saves only when the process is asked to end.
    """

    def __init__(self, path: Path, every_seconds: float | None) -> None:
        self.path, self.every_seconds = path, every_seconds
        self.request = StopRequest("stopping after this step; the same signal again stops at once")
        self._saved_at = 0.0
        self._validating = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """From here on a signal waits for the end of a step; Lightning's own handlers would be in the way."""
        self._saved_at = time.monotonic()
        self.request.begin()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Between two steps; behind the last one of an epoch validation begins, and saves."""
        alone = trainer.world_size == 1
        if trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            return
        if alone or batch_idx % _BATCHES_BETWEEN_AGREEMENTS == 0:
            self._save_where_due(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Between training and validation."""
        self._validating = True
        self._save_where_due(trainer)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Within a validation: as if it had not begun. Several processes agree before and behind it."""
        if trainer.world_size == 1 and self.request.signal_number is not None:
            self._save_where_due(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The epoch's own checkpoint follows."""
        self._validating = False

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Behind the checkpoint of the epoch before."""
        self._saved_at = time.monotonic()
        if number := self._agreed(trainer, self.request.signal_number or 0):
            raise Stopped(number)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """All epochs are saved: signals are raised again."""
        self.request.end()
        if self.request.signal_number is not None:
            raise Stopped(self.request.signal_number)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Give the signals back."""
        self.request.end()

    def _save_where_due(self, trainer: Trainer) -> None:
        due = self.every_seconds is not None and time.monotonic() - self._saved_at >= self.every_seconds
        asked = self.request.signal_number or (-1 if due else 0)
        agreed = self._agreed(trainer, asked)
        if agreed:
            task = cast(Task, trainer.lightning_module)
            # Which that of the first process holds.
            for network in (task.model, *([task.average.kept] if task.average else [])):
                average_buffers(network)
            trainer.save_checkpoint(self.path)
            self._saved_at = time.monotonic()
        if agreed > 0:
            raise Stopped(agreed)

    def _agreed(self, trainer: Trainer, asked: int) -> int:
        """The same number for all processes: a signal of any of them, else -1 where the first one finds it is time."""
        if trainer.world_size == 1:
            return asked
        device = trainer.strategy.root_device
        signals = torch.tensor(max(asked, 0), device=device)
        torch.distributed.all_reduce(signals, torch.distributed.ReduceOp.MAX)
        first: int = trainer.strategy.broadcast(asked)
        return int(signals) or min(first, 0)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Have Lightning begin the epoch's validation where it goes on from here, and not skip it."""
        if not self._validating:
            return
        progress = checkpoint["loops"]["fit_loop"]["epoch_loop.val_loop.batch_progress"]
        # What Lightning goes on with is a validation of which a batch was begun.
        progress["total"] |= {"ready": 1, "started": 1, "processed": 0, "completed": 0}
        progress["current"] |= {"ready": 0, "started": 0, "processed": 0, "completed": 0}
        progress["is_last_batch"] = False
