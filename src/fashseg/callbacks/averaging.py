"""Averaged weights: what is scored, kept as the best and used afterwards, while training goes on with its own."""

from typing import Any, cast

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import WeightAveraging

from fashseg.ranks.group import average_buffers
from fashseg.tasks import Task
from fashseg.tasks.averaging import Average


class AverageWeights(WeightAveraging):
    """Lightning's WeightAveraging, of the network alone, followed in each step also where one call takes several.

    Lightning's own counts calls of its loop, waits for a GPU in every one of them, and mixes up both kinds of weights
    in a checkpoint that is saved in the middle of a validation. The format of checkpoints is Lightning's:
    ``state_dict`` is the average, which is all that scoring and predicting read; ``current_model_state`` is what
    training goes on with.

    It has to be ahead of all callbacks that save, for in Lightning's own loop it follows a step when that has ended.

    Args:
        decay: share of the average that an optimizer step keeps, see `fashseg.tasks.averaging`.
    """

    def __init__(self, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self._average: Average | None = None

    @property
    def average(self) -> Average:
        """What follows the network, from the start of the training on."""
        assert self._average is not None
        return self._average

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The network is where it will stay, and a checkpoint is loaded: begin to follow."""
        task = cast(Task, pl_module)
        assert self._average_model is not None
        kept = cast(Task, self._average_model.module).model
        weight = next(task.model.parameters())
        kept.to(device=weight.device, dtype=weight.dtype).requires_grad_(False)
        self._average = task.average = Average(task.model, kept, self.decay, self._latest_update_step)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Follow a step of Lightning's own loop; those of a `Stepper` are followed there."""
        if trainer.global_step > self.average.step:
            self.average.follow(trainer.global_step)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """From here on the network has the averages."""
        # Of several processes each has buffers of its own. Those that are trained become the same here, and those of
        # the average where the task does so with what it is about to score.
        average_buffers(self.average.network)
        self.average.exchange()

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """And here its own weights again."""
        self.average.exchange()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Training goes on no more."""
        self.average.hand_over()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Give the memory back."""
        self._average = self._average_model = cast(Task, pl_module).average = None

    def state_dict(self) -> dict[str, Any]:
        """How many steps were followed."""
        return {"latest_update_step": self.average.step}

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """The average as the weights, and those that are trained beside them."""
        average = self.average
        own, kept = (
            checkpoint["state_dict"] | {f"model.{name}": value for name, value in network.state_dict().items()}
            for network in (average.network, average.kept)
        )
        if average.exchanged:
            own, kept = kept, own
        checkpoint |= {"state_dict": kept, "current_model_state": own}
        checkpoint["averaging_state"] = {"n_averaged": torch.tensor(average.step)}
