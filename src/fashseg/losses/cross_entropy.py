"""The cross-entropy, PyTorch's own."""

import torch.nn.functional as F
from torch import Tensor, nn


class CountedCrossEntropy(nn.CrossEntropyLoss):
    """PyTorch's cross-entropy, of which the mean over nothing is 0: a batch may hold nothing that counts."""

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """As PyTorch's."""
        if self.reduction != "mean":
            return super().forward(logits, targets)
        total = F.cross_entropy(
            logits, targets, ignore_index=self.ignore_index, reduction="sum", label_smoothing=self.label_smoothing
        )
        return total / (targets != self.ignore_index).sum().clamp(min=1)


def cross_entropy(ignore: int | None = None, label_smoothing: float = 0.0) -> nn.CrossEntropyLoss:
    """The mean over images or pixels.

    Args:
        ignore: value of the targets that count for nothing; None where all count.
        label_smoothing: share of each target that is spread evenly over all classes.

    Shapes:
        Logits (N, C, *) and targets (N, *) to a scalar.
    """
    if ignore is None:
        return nn.CrossEntropyLoss(label_smoothing=label_smoothing)
    return CountedCrossEntropy(ignore_index=ignore, label_smoothing=label_smoothing)
