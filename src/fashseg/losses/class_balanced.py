"""Cross-entropy in which rare classes count for more."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fashseg.losses.indicators import in_full


def balanced_weights(counts: Sequence[int], beta: float) -> list[float]:
    """A weight for each class: (1 − β) / (1 − βⁿ), n being its count, divided by the mean of those that are there.

    *Class-Balanced Loss Based on Effective Number of Samples* (Cui et al., 2019), equation 2.

    Args:
        counts: images or pixels of each class; one that has none gets 0, for it is never the truth.
        beta: β, at least 0, where all count alike, and less than 1, towards which weights go as 1 / n.
    """
    log_beta = math.log(beta) if beta else -math.inf
    weights = [(1 - beta) / -math.expm1(count * log_beta) if count else 0.0 for count in counts]
    mean = sum(weights) / max(1, sum(map(bool, counts)))
    return [weight / (mean or 1) for weight in weights]


class ClassBalanced(nn.Module):
    """The mean over images or pixels of their cross-entropy times the weight of their class.

    The weights are of `balanced_weights`; without counts, which training begins with, all are 1. They are no part of
    checkpoints.

    Args:
        beta: β.
        label_smoothing: share of each target that is spread evenly over all classes, each with its weight.
        ignore: value of the targets that count for nothing; None where all count.

    Shapes:
        Logits (N, C, *) and targets (N, *), or shares (N, C, *) in floating point, to a scalar.
    """

    weights: Tensor | None

    def __init__(self, beta: float, label_smoothing: float = 0.0, ignore: int | None = None) -> None:
        super().__init__()
        self.beta, self.label_smoothing, self.ignore = beta, label_smoothing, ignore
        self.register_buffer("weights", None, persistent=False)

    def go_by(self, counts: Sequence[int], device: torch.device | None = None) -> None:
        """Weigh classes by their numbers of images or pixels; on the device of the logits."""
        self.weights = torch.tensor(balanced_weights(counts, self.beta), device=device)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The mean over the targets that count."""
        logits = in_full(logits)
        shared = targets.is_floating_point()
        total = F.cross_entropy(
            logits,
            targets,
            weight=None if self.weights is None else self.weights.to(logits.dtype),
            ignore_index=-100 if self.ignore is None or shared else self.ignore,
            reduction="sum",
            label_smoothing=self.label_smoothing,
        )
        if self.ignore is None or shared:
            return total / max(1, logits.numel() // logits.shape[1])
        return total / (targets != self.ignore).sum().clamp(min=1)
