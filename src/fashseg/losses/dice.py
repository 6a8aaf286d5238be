"""The Dice loss."""

import torch
from torch import Tensor

from fashseg.losses.indicators import indicators
from fashseg.losses.overlap import Overlap


class Dice(Overlap):
    """Cross-entropy, and the overlap of prediction and truth: classes count alike, however few pixels they have.

    a · cross-entropy + (1 − a) · (1 − the mean over classes of 2 Σ p t / (Σ p + Σ t)), p being the probability of a
    class by softmax, t 1 where it is true and else 0, and the sums over all pixels of a batch. Classes that the batch
    lacks are left out. See *Generalised Dice overlap* (Sudre et al., 2017).

    Arguments and shapes are those of `Overlap`.
    """

    def missed(self, shares: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """1 − Dice and the number of pixels, each (C,)."""
        truth = indicators(targets, shares.shape[1])
        if self.ignore is not None:
            counted = (targets != self.ignore).unsqueeze(1)
            truth, shares = truth & counted, shares * counted
        over = [0, *range(2, shares.ndim)]
        pixels = truth.sum(over)
        both = torch.where(truth, shares, 0).sum(over)
        return 1 - 2 * both / (shares.sum(over) + pixels).clamp(min=1e-7), pixels
