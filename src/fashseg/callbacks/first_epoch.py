"""What is loaded and opened when the first epoch is trained: it would delay the first step."""

from importlib import import_module

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger, TensorBoardLogger

from fashseg.stopping import not_now


class AfterFirstEpoch(Callback):
    """Gives the trainer its loggers, and loads what the end of the run needs, before the first validation.

    Loaded at the end, the modules might be of other files than those that the run began with.

    Args:
        loggers: nothing is logged before the first validation.
        page: whether the run makes its page.
    """

    def __init__(self, loggers: list[Logger], page: bool) -> None:
        self.loggers, self.page = loggers, page
        self.done = False

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Once; the clocks of the training stand still here."""
        if self.done:
            return
        self.done = True
        names = ["fashseg.published", "fashseg.summary"]
        if self.page:
            names.append("fashseg.report.making")
        if any(isinstance(logger, TensorBoardLogger) for logger in self.loggers):
            names.append("torch.utils.tensorboard")
        trainer.loggers = self.loggers
        with not_now():
            for name in names:
                import_module(name)
