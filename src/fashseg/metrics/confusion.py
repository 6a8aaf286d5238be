"""Confusion matrices over pixels, and the scores that are read off them."""

import torch
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix


def confusion_counts(predictions: Tensor, targets: Tensor, num_classes: int) -> Tensor:
    """Count pairs of truth and prediction in one pass.

    Args:
        predictions: any shape, values 0 to C - 1.
        targets: the same shape, the same values.
        num_classes: C.

    Returns:
        (C, C), int64; a row for each truth, a column for each prediction.
    """
    pairs = (targets.flatten() * num_classes + predictions.flatten()).long()
    return torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes)


class PixelConfusionMatrix(MulticlassConfusionMatrix):
    """torchmetrics' confusion matrix, counted without its detour under deterministic algorithms.

    There torchmetrics 1.9 builds a table of pixels times C² cells: 2.5 GB for 16 images of 256×256 and 12 classes.
    Counting integers is exact in any order, so no detour is needed.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, validate_args=False)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Count a batch: logits (N, C, *) or labels (N, *), and targets (N, *)."""
        if preds.ndim == target.ndim + 1:
            preds = preds.argmax(1)
        self.confmat += confusion_counts(preds, target, self.num_classes)


def accuracy(matrix: Tensor) -> Tensor:
    """Share of all items on the diagonal; float64, nan where there are none."""
    return matrix.diag().sum().double() / matrix.sum()


def per_class_accuracy(matrix: Tensor) -> Tensor:
    """Share of each class's items that are recognised, (C,), float64; nan for a class without items."""
    return matrix.diag().double() / matrix.sum(1)


def intersection_over_union(matrix: Tensor) -> Tensor:
    """Intersection over union of truth and prediction by class, (C,), float64; nan where the union is empty."""
    both = matrix.diag().double()
    return both / (matrix.sum(0) + matrix.sum(1) - both)


def mean_of_present(values: Tensor) -> Tensor:
    """Mean without the classes that are nan; nan where all are."""
    return values.nanmean()
