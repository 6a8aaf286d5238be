"""What losses of the overlap of prediction and truth share: cross-entropy beside it, and the mean over classes."""

from torch import Tensor, nn

from fashseg.losses.cross_entropy import cross_entropy
from fashseg.losses.indicators import in_full


class Overlap(nn.Module):
    """a · cross-entropy + (1 − a) · the mean over the classes of a batch of `missed`.

    Args:
        entropy_share: a, from 0 to 1.
        ignore: value of the targets that count for nothing; None where all count.

    Shapes:
        Logits (N, C, *) and targets (N, *) to a scalar. Each of several processes takes its own images.
    """

    def __init__(self, entropy_share: float = 0.5, ignore: int | None = None) -> None:
        super().__init__()
        self.entropy_share, self.ignore = entropy_share, ignore
        self.entropy = cross_entropy(ignore)

    def missed(self, shares: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """What each class lacks of the whole overlap, and the number of its pixels, each (C,).

        Args:
            shares: probabilities (N, C, *), in full precision.
            targets: (N, *).
        """
        raise NotImplementedError

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Of the pixels that count; 0 where there are none."""
        logits = in_full(logits)
        missed = _mean_of_present(*self.missed(logits.softmax(1), targets))
        entropy: Tensor = self.entropy(logits, targets)
        return self.entropy_share * entropy + (1 - self.entropy_share) * missed


def _mean_of_present(values: Tensor, pixels: Tensor) -> Tensor:
    """The mean over classes that have pixels, without waiting for the device; 0 where none has."""
    present = (pixels > 0).to(values.dtype)
    return (values * present).sum() / present.sum().clamp(min=1)
