"""The report's rule for the end of training."""

from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback


class StopAtConvergence(Callback):
    """Stop when the running training losses of two successive epochs differ by less than a threshold.

    Lightning's EarlyStopping waits for a score to stop improving, which is another rule: it also ends a training whose
    loss rises.

    Args:
        threshold: the difference.
        min_epochs: never stop before so many epochs.
    """

    def __init__(self, threshold: float, min_epochs: int = 0) -> None:
        self.threshold, self.min_epochs = threshold, min_epochs
        self.losses: list[float] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A run that was ended between its last epoch and its test has nothing more to train."""
        self._stop_where_converged(trainer, trainer.current_epoch)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compare with the epoch before."""
        self.losses = [*self.losses[-1:], trainer.callback_metrics["train/loss_running"].item()]
        self._stop_where_converged(trainer, trainer.current_epoch + 1)

    def _stop_where_converged(self, trainer: Trainer, epochs: int) -> None:
        converged = len(self.losses) == 2 and abs(self.losses[0] - self.losses[1]) < self.threshold
        if converged and epochs >= self.min_epochs:
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        """The losses of the last two epochs."""
        return {"losses": self.losses}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where the checkpoint was."""
        self.losses = state_dict.get("losses", [])
