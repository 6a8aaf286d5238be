"""Running loss and accuracy of an epoch, cheap enough for every step."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from fashseg.metrics.prediction import predicted_labels


class Totals(Metric):
    """Mean loss by sample and share of right predictions over everything it was updated with.

    ``update(loss, logits, targets)`` never waits for the device. Call it and not ``forward``, which also computes.
    With ``ignore_index``, targets of that value count for nothing: the loss is the mean over all others, by pixel.
    The loss is summed in float64, or in float32 on machines with Apple's MPS, which has no float64. Counts are int64.

    ``compute`` returns ``{"loss": ..., "accuracy": ...}``, scalars on the metric's device; accuracy is 0 to 1, by pixel
    for segmentation. Both are nan before the first update.
    """

    is_differentiable = False
    higher_is_better = None
    full_state_update = False

    loss_sum: Tensor
    samples: Tensor
    correct: Tensor
    predictions: Tensor

    def __init__(self, ignore_index: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ignore_index = ignore_index
        dtype = torch.float32 if torch.backends.mps.is_available() else torch.float64
        self.add_state("loss_sum", torch.zeros((), dtype=dtype), dist_reduce_fx="sum")
        for name in ("samples", "correct", "predictions"):
            self.add_state(name, torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, loss: Tensor, logits: Tensor, targets: Tensor, predicted: Tensor | None = None) -> None:
        """Add a batch.

        Args:
            loss: scalar, the mean over the batch.
            logits: (N, C, *), of any type.
            targets: labels (N, *); all count but for those of ``ignore_index``. A batch of nothing adds nothing. Or
                shares of classes, floating (N, C, *): the class with the largest is the right one.
            predicted: int64 (N, *), ``predicted_labels(logits)`` where it is known already.
        """
        if predicted is None:
            predicted = predicted_labels(logits)
        if targets.is_floating_point():
            targets = targets.argmax(1)
        if self.ignore_index is not None:
            counted = targets != self.ignore_index
            count = counted.sum()
            self.loss_sum.add_(loss.detach().to(self.loss_sum.dtype) * count)
            self.samples.add_(count)
            self.correct.add_(((predicted == targets) & counted).sum())
            self.predictions.add_(count)
            return
        count_batch = len(targets)
        if not count_batch:  # the mean over nothing is nan
            return
        # In place: to assign a state costs as much as to add to it.
        self.loss_sum.add_(loss.detach(), alpha=count_batch)
        self.samples.add_(count_batch)
        self.correct.add_((predicted == targets).sum())
        self.predictions.add_(targets.numel())

    def saved(self) -> dict[str, Tensor]:
        """What it has counted, of all processes together, on the CPU; see `restore`."""
        with self.sync_context():
            return {name: getattr(self, name).cpu().clone() for name in self._defaults}

    def restore(self, saved: dict[str, Tensor], first: bool = True) -> None:
        """Go on from there.

        Args:
            saved: what `saved` has given.
            first: whether this process is the first one, which takes over the counts of all. The others count from 0,
                but know that there is something, or they would not take part where all of them compute.
        """
        self.reset()
        if saved["samples"]:
            for name, value in saved.items() if first else ():
                getattr(self, name).copy_(value)
            self._update_count = 1

    def compute(self) -> dict[str, Tensor]:
        """Mean loss and accuracy so far."""
        return {
            "loss": self.loss_sum / self.samples,
            "accuracy": self.correct.to(self.loss_sum.dtype) / self.predictions,
        }
