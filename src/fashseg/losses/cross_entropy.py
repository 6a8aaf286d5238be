"""The cross-entropy, PyTorch's own."""

from torch import nn

_NONE = -100  # what PyTorch ignores where nothing is said; no label has it


def cross_entropy(ignore: int | None = None, label_smoothing: float = 0.0) -> nn.CrossEntropyLoss:
    """The mean over images or pixels.

    Args:
        ignore: value of the targets that count for nothing; None where all count.
        label_smoothing: share of each target that is spread evenly over all classes.

    Shapes:
        Logits (N, C, *) and targets (N, *) to a scalar.
    """
    return nn.CrossEntropyLoss(ignore_index=_NONE if ignore is None else ignore, label_smoothing=label_smoothing)
