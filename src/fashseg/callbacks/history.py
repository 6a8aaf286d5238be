"""metrics.csv: one row an epoch, and how long the training took."""

import csv
import io
import time
from pathlib import Path
from typing import Any, cast

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.utilities import rank_zero_only

from fashseg.data.loading import Steps, TrainLoader
from fashseg.files import write_atomically
from fashseg.ranks.group import total

COLUMNS = (
    "train/loss_running",
    "train/accuracy_running",
    "train/loss",
    "train/accuracy",
    "val/loss",
    "val/accuracy",
)


class History(Callback):
    """Keeps one row an epoch and writes them all at each epoch's end.

    The rows are part of the checkpoint: a resumed run writes the same table as one that was never stopped. Time is
    counted from the first batch of an epoch to its last, without validation.

    Args:
        path: of the table.
        score: name of the validation score.

    Attributes:
        rows: a dictionary an epoch; empty cells are None.
        seconds: wall time of training so far.
        cpu_seconds: processor time of training so far, all threads of all processes; within an epoch, of this one.
        epoch_seconds: wall time of the epoch so far, with its validation.
        images: training images seen so far, on all devices.
    """

    def __init__(self, path: Path, score: str) -> None:
        self.path, self.score = path, score
        self.rows: list[dict[str, Any]] = []
        self.seconds = self.cpu_seconds = self.epoch_seconds = 0.0
        self.images = 0
        self._since = self._cpu_since = 0.0
        self._cpu_counted = 0.0  # of all processes, up to the last validation
        self._training = True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clocks; a run that goes on within an epoch has no other start."""
        self._since, self._cpu_since = time.perf_counter(), time.process_time()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """What was between two epochs belongs to none."""
        self._training, self.epoch_seconds = True, 0.0
        self._since, self._cpu_since = time.perf_counter(), time.process_time()

    def _count_time(self) -> None:
        now, cpu_now = time.perf_counter(), time.process_time()
        self.epoch_seconds += now - self._since
        if self._training:
            self.seconds += now - self._since
            self.cpu_seconds += cpu_now - self._cpu_since
        self._since, self._cpu_since = now, cpu_now

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count images."""
        if isinstance(batch, Steps):
            self.images += batch.images
        elif trainer.world_size == 1:
            self.images += len(batch[0])
        else:
            self.images += cast(TrainLoader, trainer.train_dataloader).share(batch_idx)[1]

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The batches of the epoch are through."""
        before = self._cpu_counted
        self._count_time()
        self._cpu_counted = self.cpu_seconds = before + total(self.cpu_seconds - before, pl_module.device)
        self._training = False

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add a row."""
        self._count_time()
        names = dict.fromkeys((*COLUMNS, f"val/{self.score}", "learning_rate"))
        values = {name: trainer.callback_metrics.get(name) for name in names}
        self.rows.append(
            {
                "epoch": trainer.current_epoch + 1,
                **{name.replace("/", "_"): None if value is None else value.item() for name, value in values.items()},
                "seconds": self.epoch_seconds,
            }
        )
        self._write()

    @rank_zero_only
    def _write(self) -> None:
        text = io.StringIO()
        # A run that was begun by an older version has rows without the newer columns.
        table = csv.DictWriter(text, self.rows[-1].keys(), restval="", extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        for row in self.rows:
            table.writerow({k: f"{v:.9g}" if isinstance(v, float) else v for k, v in row.items()})
        write_atomically(self.path, text.getvalue())

    def state_dict(self) -> dict[str, Any]:
        """Rows and clocks, as plain containers."""
        self._count_time()
        names = ("rows", "seconds", "cpu_seconds", "epoch_seconds", "images")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where the checkpoint was."""
        for name, value in state_dict.items():
            setattr(self, name, value)
        self._cpu_counted = self.cpu_seconds
