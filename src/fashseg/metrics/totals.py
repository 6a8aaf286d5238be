"""Mean loss and accuracy of an epoch."""

import torch
from torch import Tensor
from torchmetrics import Metric


class Totals(Metric):
    """Loss by sample and accuracy by target over everything it was updated with.

    Sums stay on the device until the end of the epoch. The loss is summed in float64, where the device has it (Apple's
    GPUs do not).
    """

    is_differentiable = False
    full_state_update = False
    loss_sum: Tensor
    counts: Tensor

    def __init__(self) -> None:
        super().__init__()
        exact = torch.float32 if torch.backends.mps.is_available() else torch.float64
        self.add_state("loss_sum", torch.zeros((), dtype=exact), dist_reduce_fx="sum")
        # Samples, targets, right targets.
        self.add_state("counts", torch.zeros(3, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, loss: Tensor, logits: Tensor, targets: Tensor) -> None:
        """Add a batch.

        Args:
            loss: its mean loss, a scalar.
            logits: (N, C, *).
            targets: (N, *).
        """
        self.loss_sum += loss * len(targets)
        self.counts[0] += len(targets)
        self.counts[1] += targets.numel()
        self.counts[2] += (logits.argmax(1) == targets).sum()

    def compute(self) -> dict[str, Tensor]:
        """``loss`` and ``accuracy``; nan before the first update."""
        samples, items, right = self.counts.unbind()
        return {"loss": self.loss_sum / samples, "accuracy": right.double() / items}
