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
        self.last: float | None = None

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compare with the epoch before."""
        loss = trainer.callback_metrics["train/loss_running"].item()
        converged = self.last is not None and abs(self.last - loss) < self.threshold
        self.last = loss
        if converged and trainer.current_epoch + 1 >= self.min_epochs:
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        """The loss of the last epoch."""
        return {"last": self.last}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where the checkpoint was."""
        self.last = state_dict["last"]
