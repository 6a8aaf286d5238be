"""The focal loss."""

from torch import Tensor, nn

from fashseg.losses.cross_entropy import cross_entropy
from fashseg.losses.indicators import in_full


class Focal(nn.Module):
    """Cross-entropy in which each image or pixel counts by how far its class is from being recognised.

    The mean of −(1 − p)^γ log p, p being the probability of the true class: equation 4 of *Focal Loss for Dense Object
    Detection* (Lin et al., 2017), with a softmax over classes in place of their sigmoid.

    Args:
        gamma: γ, 0 or more; 0 is the cross-entropy.
        ignore: value of the targets that count for nothing; None where all count.

    Shapes:
        Logits (N, C, *) and targets (N, *) to a scalar.
    """

    def __init__(self, gamma: float = 2.0, ignore: int | None = None) -> None:
        super().__init__()
        self.gamma, self.ignore = gamma, ignore
        self.entropy = cross_entropy(ignore)
        self.entropy.reduction = "none"

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The mean over the targets that count."""
        entropy: Tensor = self.entropy(in_full(logits), targets)  # 0 where nothing counts
        # 1 − p as exp would round it to 0 where p is nearly 1, and the gradient of a power at 0 is not finite.
        weight = (-(-entropy).expm1()).clamp(min=1e-12) ** self.gamma
        lost = weight * entropy
        if self.ignore is None:
            return lost.mean()
        return lost.sum() / (targets != self.ignore).sum().clamp(min=1)
