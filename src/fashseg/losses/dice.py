"""The Dice loss."""

import torch
from torch import Tensor, nn

from fashseg.losses.cross_entropy import cross_entropy
from fashseg.losses.indicators import in_full, indicators


class Dice(nn.Module):
    """Cross-entropy, and the overlap of prediction and truth: classes count alike, however few pixels they have.

    a · cross-entropy + (1 − a) · (1 − the mean over classes of 2 Σ p t / (Σ p + Σ t)), p being the probability of a
    class by softmax, t 1 where it is true and else 0, and the sums over all pixels of a batch. Classes that the batch
    lacks are left out. See *Generalised Dice overlap* (Sudre et al., 2017).

    Args:
        entropy_share: a, from 0 to 1.
        ignore: value of the targets that count for nothing; None where all count.

    Shapes:
        Logits (N, C, *) and targets (N, *) to a scalar. Each of several processes has the overlap of its own images.
    """

    def __init__(self, entropy_share: float = 0.5, ignore: int | None = None) -> None:
        super().__init__()
        self.entropy_share, self.ignore = entropy_share, ignore
        self.entropy = cross_entropy(ignore)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Of the pixels that count; 0 where there are none."""
        logits = in_full(logits)
        overlap = mean_of_present(*_overlaps(logits.softmax(1), targets, self.ignore))
        entropy: Tensor = self.entropy(logits, targets)
        return self.entropy_share * entropy + (1 - self.entropy_share) * overlap


def _overlaps(shares: Tensor, targets: Tensor, ignore: int | None) -> tuple[Tensor, Tensor]:
    """1 − Dice and the number of pixels, each (C,)."""
    truth = indicators(targets, shares.shape[1])
    if ignore is not None:
        counted = (targets != ignore).unsqueeze(1)
        truth, shares = truth & counted, shares * counted
    over = [0, *range(2, shares.ndim)]
    pixels = truth.sum(over)
    both = torch.where(truth, shares, 0).sum(over)
    return 1 - 2 * both / (shares.sum(over) + pixels).clamp(min=1e-7), pixels


def mean_of_present(values: Tensor, pixels: Tensor) -> Tensor:
    """The mean over classes that have pixels, without waiting for the device; 0 where none has."""
    present = (pixels > 0).to(values.dtype)
    return (values * present).sum() / present.sum().clamp(min=1)
