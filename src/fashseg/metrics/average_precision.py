"""Average precision of each class over all pixels of a data set, in constant memory, by one histogram a class.

scikit-learn sorts all scores, torchmetrics keeps them all or loops over thresholds. Here each score is counted in one
of 131,072 bins, once, and the precision-recall curve is read off the counts.
"""

from typing import Literal

import torch
from torch import Tensor
from torchmetrics import Metric

Ranking = Literal["logits", "softmax"]

BINS = 2**17
_NAN_BIN = 0


def score_histogram(
    logits: Tensor,
    targets: Tensor,
    *,
    ranking: Ranking = "logits",
    bins: int = BINS,
    ignore_index: int | None = None,
) -> Tensor:
    """Count pixels by class, by whether they are of the class, and by score.

    Args:
        logits: (N, C, *), any floating type; infinite values are in order, the place of nan is the first bin.
        targets: (N, *), values 0 to C - 1.
        ranking: ``logits`` ranks the pixels by the raw logit of the class, the convention of the published figures;
            ``softmax`` by its probability.
        bins: number of bins.
        ignore_index: target value of pixels that are left out.

    Returns:
        (C, 2, bins), int64: [:, 0] counts pixels of other classes, [:, 1] those of the class; scores ascend.
    """
    classes = logits.shape[1]
    kept = None if ignore_index is None else (targets != ignore_index).flatten()
    scores = logits.float()
    if ranking == "softmax":
        # Log-odds against chance: probabilities near 0 and near 1 are told apart alike.
        scores = scores.softmax(1).logit() + torch.log(torch.tensor(float(max(classes - 1, 1))))
    rows = []
    for label in range(classes):  # one class at a time keeps the memory small
        index = _bin(scores[:, label].flatten(), bins) + bins * (targets == label).flatten()
        rows.append(torch.bincount(index if kept is None else index[kept], minlength=2 * bins))
    return torch.stack(rows).view(classes, 2, bins)


def _bin(scores: Tensor, bins: int) -> Tensor:
    """A strictly rising function of the score, from 1 to bins - 1, finest around 0; nan goes to bin 0."""
    squashed = (1 - 1 / (1 + scores.abs().sqrt())).copysign(scores)
    place = (squashed + 1) * ((bins - 1) / 2) + 1
    return place.clamp(1, bins - 1).nan_to_num(_NAN_BIN).long()


def average_precision_from_histogram(histogram: Tensor) -> Tensor:
    """Average precision of each class: sum over thresholds of (R_n - R_(n-1)) P_n, as scikit-learn defines it.

    Within a bin the order is lost. A bin that stands out above both its neighbours holds equal scores: these are one
    threshold, as everywhere. In other bins the scores are taken as evenly mixed, and the precision at the k-th of p
    positives is that of the expected ranks.

    Args:
        histogram: (C, 2, bins), as `score_histogram` counts; histograms of parts of a data set may be added.

    Returns:
        (C,), float64: nan for a class without pixels, or with nan among its scores.
    """
    counts = histogram[..., 1:].flip(-1).double()
    negatives, positives = counts[:, 0], counts[:, 1]
    both = negatives + positives
    true_so_far, all_so_far = positives.cumsum(-1), both.cumsum(-1)
    true_before, all_before = true_so_far - positives, all_so_far - both
    tied = positives * true_so_far / all_so_far.clamp(min=1)
    # Positives stand `spacing` ranks apart: sum over k of (true_before + k) / (all_before + k spacing), by digamma.
    spacing = 1 + negatives / (positives + 1)
    offset = all_before / spacing
    harmonic = torch.digamma(offset + positives + 1) - torch.digamma(offset + 1)
    mixed = positives / spacing + (true_before - offset) / spacing * harmonic
    empty = torch.zeros_like(both[:, :1])
    left, right = torch.cat([empty, both[:, :-1]], -1), torch.cat([both[:, 1:], empty], -1)
    is_tie = both > 2 * torch.maximum(left, right)
    total = true_so_far[:, -1]
    result = torch.where(is_tie, tied, mixed).sum(-1) / total
    undefined = (total == 0) | (histogram[..., _NAN_BIN].sum(-1) > 0)
    return result.masked_fill(undefined, torch.nan)


class HistogramAveragePrecision(Metric):
    """Average precision of each class over everything it was updated with.

    Agrees with ``sklearn.metrics.average_precision_score`` within 1e-4 on the logits of real networks. The state is
    one int64 tensor (C, 2, bins), summed over ranks, so the result is the same however the data is shared out; it is
    exact under deterministic algorithms.

    Args:
        num_classes: C.
        ranking: see `score_histogram`.
        bins: see `score_histogram`.
        ignore_index: see `score_histogram`.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    histogram: Tensor

    def __init__(
        self,
        num_classes: int,
        *,
        ranking: Ranking = "logits",
        bins: int = BINS,
        ignore_index: int | None = None,
    ) -> None:
        super().__init__()
        self.ranking, self.bins, self.ignore_index = ranking, bins, ignore_index
        zeros = torch.zeros(num_classes, 2, bins, dtype=torch.int64)
        self.add_state("histogram", zeros, dist_reduce_fx="sum")

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Count a batch; shapes as in `score_histogram`."""
        self.histogram += score_histogram(
            logits, targets, ranking=self.ranking, bins=self.bins, ignore_index=self.ignore_index
        )

    def compute(self) -> Tensor:
        """(C,), float64; nan for absent classes."""
        return average_precision_from_histogram(self.histogram)
