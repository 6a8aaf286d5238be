"""Each class against all others."""

import torch.nn.functional as F
from torch import Tensor, nn

from fashseg.losses.indicators import in_full, indicators


class Binary(nn.Module):
    """Binary cross-entropy of each class against all others, summed over the classes.

    The mean over images or pixels of −Σ_c [t_c log σ(z_c) + (1 − t_c) log(1 − σ(z_c))], z being the logits and t_c 1
    for the true class and 0 for all others, or a class's share: as in *ResNet strikes back* (Wightman et al., 2021).
    Each logit says by itself how likely its class is, whatever the others say, so images and pixels can be ranked by
    it; softmax knows differences between logits alone.

    Args:
        ignore: value of the targets that count for nothing; None where all count.

    Shapes:
        Logits (N, C, *) and targets (N, *), or shares (N, C, *) in floating point, to a scalar.
    """

    def __init__(self, ignore: int | None = None) -> None:
        super().__init__()
        self.ignore = ignore

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The mean over the targets that count."""
        logits = in_full(logits)
        shares = targets if targets.is_floating_point() else indicators(targets, logits.shape[1])
        lost = F.binary_cross_entropy_with_logits(logits, shares.to(logits.dtype), reduction="none").sum(1)
        if self.ignore is None or targets.is_floating_point():
            return lost.mean()
        counted = targets != self.ignore
        return (lost * counted).sum() / counted.sum().clamp(min=1)
