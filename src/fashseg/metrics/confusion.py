"""Confusion matrix of pixels, and the scores that are read from it."""

import torch
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix


def confusion_counts(
    predictions: Tensor, targets: Tensor, num_classes: int, *, ignore_index: int | None = None
) -> Tensor:
    """Count pixels by true and predicted class.

    torchmetrics compares every pixel with every cell when deterministic algorithms are on (2.5 GB for 16×256×256 pixels
    of 12 classes). Integer ``bincount`` is deterministic on every device as it is, so here it is used always.

    Args:
        predictions: labels (*) of any integer type, 0 to C - 1.
        targets: labels (*) of any integer type, 0 to C - 1 or ``ignore_index``.
        num_classes: C.
        ignore_index: target of the pixels to leave out.

    Returns:
        int64 (C, C): rows are the truth, columns the prediction.

    Raises:
        ValueError: different shapes, no labels, or labels out of range.
    """
    if predictions.shape != targets.shape:
        raise ValueError(f"predictions {tuple(predictions.shape)} and targets {tuple(targets.shape)} differ in shape")
    if predictions.is_floating_point() or targets.is_floating_point():
        raise ValueError(f"expected integer labels, not {predictions.dtype} and {targets.dtype}")
    cells = num_classes**2
    predictions, targets = predictions.flatten(), targets.flatten()
    inside = (targets >= 0) & (targets < num_classes) & (predictions >= 0) & (predictions < num_classes)
    index = torch.where(inside, targets.long() * num_classes + predictions, cells)
    if ignore_index is not None:
        index.masked_fill_(targets == ignore_index, cells + 1)
    counts = torch.bincount(index, minlength=cells + 2)
    if int(counts[cells]) > 0:
        raise ValueError(f"{int(counts[cells])} labels are outside 0 to {num_classes - 1} (ignored: {ignore_index})")
    return counts[:cells].reshape(num_classes, num_classes)


class PixelConfusionMatrix(MulticlassConfusionMatrix):
    """torchmetrics' confusion matrix, counted by ``confusion_counts``: as exact, in far less memory when deterministic.

    Takes what its parent takes; ``validate_args`` concerns the settings only, as labels are always checked.
    """

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add predictions, as labels (N, *) or floating-point scores (N, C, *), of pixels with labels (N, *)."""
        if preds.ndim == target.ndim + 1:
            if preds.shape[1] != self.num_classes:
                raise ValueError(f"scores {tuple(preds.shape)} are not of {self.num_classes} classes in dimension 1")
            preds = preds.argmax(1)
        self.confmat += confusion_counts(preds, target, self.num_classes, ignore_index=self.ignore_index)


def accuracy(matrix: Tensor) -> Tensor:
    """Share of pixels predicted right, a float64 scalar, of counts (C, C); nan for no pixels."""
    return matrix.diagonal().sum().double() / matrix.sum()


def per_class_accuracy(matrix: Tensor) -> Tensor:
    """Share of each class's pixels predicted right (recall), float64 (C,), of counts (C, C); nan if it has none."""
    return matrix.diagonal().double() / matrix.sum(1)


def intersection_over_union(matrix: Tensor) -> Tensor:
    """Pixels both of a class and predicted so, by pixels that are either: float64 (C,), of counts (C, C).

    The Jaccard index, 0 to 1; nan for a class in neither truth nor prediction.
    """
    both = matrix.diagonal()
    return both.double() / (matrix.sum(0) + matrix.sum(1) - both)


def mean_of_present(values: Tensor) -> Tensor:
    """Mean of the values (C,) that are not nan, as a scalar; nan only if all are."""
    return values.nanmean()
