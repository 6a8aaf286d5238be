"""Targets as one plane for each class, and logits with digits enough for a loss."""

import torch
from torch import Tensor


def indicators(targets: Tensor, classes: int) -> Tensor:
    """1 where a target is of a class, else 0; label values of no class are 0 in all planes.

    Args:
        targets: int64 (N, *).
        classes: how many.

    Returns:
        bool (N, classes, *), made without waiting for the device.
    """
    values = torch.arange(classes, device=targets.device)
    return targets.unsqueeze(1) == values.reshape(1, -1, *[1] * (targets.ndim - 1))


def in_full(logits: Tensor) -> Tensor:
    """In float32, or in float64 where they are: in mixed precision sums over pixels would lose their digits."""
    return logits if logits.dtype == torch.float64 else logits.float()
