"""Calibration: whether what a network says with 80% confidence is right in 80% of the cases."""

import torch
from torch import Tensor

BINS = 15


def reliability_counts(confidence: Tensor, right: Tensor, bins: int = BINS) -> Tensor:
    """Samples by confidence, in equally wide bins.

    Args:
        confidence: (*), the probability of the predicted class, 0 to 1. Nan, of logits that have no softmax, counts in
            the first bin and makes its sum nan, and so the error.
        right: (*), whether the prediction was right.
        bins: how many.

    Returns:
        float64 (3, bins): number of samples, sum of their confidences, number of right ones. Such counts add up.
    """
    confidence = confidence.flatten().double()
    # A confidence on an edge belongs to the bin below (torchmetrics has it above, and keeps 1 apart from all others).
    index = (confidence * bins).nan_to_num().ceil().long().sub(1).clamp(0, bins - 1)
    weights = torch.stack([torch.ones_like(confidence), confidence, right.flatten().double()])
    counts = torch.zeros(3, bins, dtype=torch.float64, device=confidence.device)
    return counts.index_add_(1, index, weights)


def expected_calibration_error(counts: Tensor) -> float:
    """Mean distance between confidence and accuracy over the bins of `reliability_counts`, weighted by their samples.

    0 to 1, nan without samples. Source: Naeini, Cooper and Hauskrecht, AAAI 2015.
    """
    samples, confidences, right = counts
    return float((confidences - right).abs().sum() / samples.sum())
