"""How far the answers of a network are from those of a teacher."""

import torch.nn.functional as F
from torch import Tensor, nn

from fashseg.losses.indicators import in_full


class Distill(nn.Module):
    """The cross-entropy of softened answers, by which a network learns what another one gives (Hinton et al., 2015).

    Logits are divided by the temperature T, and the loss is multiplied by T², so that gradients keep their size. Up to
    what the network has no part in, it is T² times the Kullback-Leibler divergence from the teacher's answers.

    Args:
        temperature: T; above 1 the classes that are not the answer count for more.

    Shapes:
        Logits (N, C) and shares of classes (N, C) in floating point, which the teacher gives, or labels (N,), to a
        scalar.
    """

    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The mean over the batch."""
        logits = in_full(logits)
        if targets.is_floating_point():
            targets = targets.to(logits.dtype)
        return self.temperature**2 * F.cross_entropy(logits / self.temperature, targets)
