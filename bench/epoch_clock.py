"""The clock of a training by Lightning."""

import pytorch_lightning as pl

from bench.clock import Laps


class EpochClock(pl.Callback):
    """Ends a lap where another epoch begins, so that a lap has all that an epoch costs; ``fit`` ends the last one."""

    def __init__(self, laps: Laps) -> None:
        self.laps = laps

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Not before the first epoch."""
        if trainer.current_epoch:
            self.laps.lap()
