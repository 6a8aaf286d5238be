"""The precision-recall curve of a class from its histogram of scores. Imports no torch."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def precision_recall_path(histogram: npt.NDArray[np.integer]) -> tuple[FloatArray, FloatArray]:
    """Recall and precision at each threshold, from the highest score down.

    Args:
        histogram: (2, B), counts of negatives and of positives by ascending score.

    Returns:
        Recall, rising from 0 to 1, and precision, both (T,) with a point for each bin that holds a score. The first
        point repeats the precision of the second at recall 0. Nan recall where there are no positives.
    """
    counts = histogram[:, ::-1].astype(np.float64)
    negatives, positives = counts[:, counts.sum(0) > 0].cumsum(1)
    if not positives.size or not positives[-1]:
        return np.array([np.nan]), np.array([np.nan])
    precision = positives / (positives + negatives)
    recall = positives / positives[-1]
    return np.concatenate([[0.0], recall]), np.concatenate([precision[:1], precision])


def at_thresholds(histogram: npt.NDArray[np.integer], thresholds: int) -> tuple[FloatArray, ...]:
    """What TensorBoard draws a curve from: counts at thresholds that are spread evenly over the ranks of the scores.

    Args:
        histogram: (2, B), counts of negatives and of positives by ascending score.
        thresholds: how many.

    Returns:
        True positives, false positives, true negatives, false negatives, precision, recall, each (thresholds,), from
        the lowest threshold, above which everything lies, to the highest. Nan recall where there are no positives; of
        a histogram without scores all counts are 0, and precision is nan too.
    """
    held = histogram[:, histogram.sum(0) > 0].astype(np.float64)
    if not held.size:
        held = np.zeros((2, 1))
    # Above each bin that holds a score, this one included.
    negatives, positives = held[:, ::-1].cumsum(1)[:, ::-1]
    places = np.linspace(0, held.shape[1] - 1, thresholds).astype(int)
    true, false = positives[places], negatives[places]
    with np.errstate(invalid="ignore"):
        precision, recall = true / (true + false), true / positives[0]
    return true, false, negatives[0] - false, positives[0] - true, precision, recall
