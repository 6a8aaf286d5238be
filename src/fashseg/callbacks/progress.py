"""How far a training is: a line an epoch and, on a terminal, a bar."""

import sys
from statistics import fmean

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback, RichProgressBar

from fashseg.callbacks.history import History
from fashseg.text import duration


class EpochLines(Callback):
    """One plain line an epoch, with the time that is left: readable in a log file.

    Args:
        history: where the numbers come from; it must stand before this one in the list of callbacks.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self._first_epoch = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note where this process begins: perhaps another machine has trained what was before."""
        self._first_epoch = trainer.current_epoch

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say what the epoch has come to."""
        if not trainer.is_global_zero:
            return
        row, epochs = self.history.rows[-1], trainer.max_epochs or 0
        # Of an epoch that another process has begun, its part counts as well.
        left = fmean(row["seconds"] for row in self.history.rows[self._first_epoch :]) * max(0, epochs - row["epoch"])
        score = self.history.score
        parts = [
            f"epoch {row['epoch']:>{len(str(epochs))}}/{epochs}",
            f"train loss {row['train_loss_running']:.4f} running" + _fixed(row["train_loss"]),
            f"val loss {row['val_loss']:.4f}, {score.replace('_', ' ')} {row[f'val_{score}']:.4f}",
            f"{row['seconds']:.1f} s, {duration(left)} left",
        ]
        print(" | ".join(parts), flush=True)


def _fixed(loss: float | None) -> str:
    return "" if loss is None else f", {loss:.4f} fixed"


def progress_callbacks(choice: str, history: History) -> list[Callback]:
    """The callbacks of ``callbacks.progress``."""
    if choice == "auto":
        choice = "bar" if sys.stdout.isatty() else "lines"
    if choice == "none":
        return []
    # The bar is of one epoch; the lines above it keep what was, and the time that is left in all.
    bar: list[Callback] = [RichProgressBar(refresh_rate=10)] if choice == "bar" else []
    return [*bar, EpochLines(history)]
