"""Tells a search the validation score of each epoch, and ends a trial that falls behind the others."""

import logging
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback

from fashseg.callbacks.history import History
from fashseg.sweep.address import TrialAddress

log = logging.getLogger(__name__)


class ReportToSearch(Callback):
    """Report each epoch's value once; behind the last epoch nothing is pruned.

    Args:
        address: of the trial.
        history: rows of all epochs, those before a resumed run went on included.
        main_score: name of the validation score.

    Attributes:
        pruned_at: number of the epoch, counted from 1, behind which the trial was ended; None where it was not.
    """

    def __init__(self, address: TrialAddress, history: History, main_score: str) -> None:
        self.address, self.history = address, history
        self.monitor = address.monitor(main_score)
        self.pruned_at: int | None = None
        self._trial: Any = None
        self._storage: Any = None
        self._reported: set[int] = set()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Find the trial; a run that was killed behind an epoch and before its report is judged now."""
        if self.monitor is not None:
            self._trial, self._storage = self.address.open(trainer.max_epochs or 1)
            self._report(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Report, and ask whether to go on."""
        self._report(trainer)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Let go of the storage."""
        self._close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """The same."""
        self._close()

    def _close(self) -> None:
        if self._storage is not None:
            self._storage.close()
        self._trial = self._storage = None

    def _report(self, trainer: Trainer) -> None:
        if self._trial is None:
            return
        key = str(self.monitor).replace("/", "_")
        done = self.history.rows[-1]["epoch"] if self.history.rows else 0
        try:
            for row in self.history.rows:
                if row.get(key) is not None and row["epoch"] not in self._reported:
                    self._trial.report(row[key], row["epoch"])
                    self._reported.add(row["epoch"])
            behind = 0 < done < (trainer.max_epochs or 0) and self._trial.should_prune()
        except Exception as error:
            if not self._storage.is_of_storage(error):
                raise
            log.warning("epoch %s is reported later, for the storage does not answer: %s", done, error)
            return
        if behind:
            self.pruned_at = done
            trainer.should_stop = True
