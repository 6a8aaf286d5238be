"""Average precision per class over all pixels of a data set, in constant memory.

scikit-learn's ``average_precision_score`` wants every score at once and sorts them. Here each class counts its scores
in a fixed histogram, one half for the pixels that are of the class and one for those that are not; the
precision-recall path is read from the counts. Histograms add up, over batches and over processes, without loss.
"""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from fashseg.metrics.score_histogram import (
    DEFAULT_BINS,
    INVALID_BIN,
    MAX_BINS,
    Ranking,
    bins_for,
    check_settings,
    score_histogram,
)

__all__ = [
    "DEFAULT_BINS",
    "MAX_BINS",
    "HistogramAveragePrecision",
    "Ranking",
    "average_precision_from_histogram",
    "bins_for",
    "score_histogram",
]

_SLICE = 2**15  # bins that are read at a time: temporary tensors stay in the processor's cache


def average_precision_from_histogram(histogram: Tensor) -> Tensor:
    """Average precision of each class: the sum over thresholds of (R_n - R_{n-1}) * P_n, as scikit-learn defines it.

    A bin that holds more than twice as many scores as its two neighbours together is taken for one tied score, which
    is one threshold (bfloat16 logits, flat parts of an image, saturated softmax). Scores of any other bin are taken as
    distinct and mixed: among its p positives and n negatives, the i-th positive comes after i * n / (p + 1) negatives,
    more or fewer where both neighbours show the mixture to change. A hundred bins then do the work of ten thousand.

    Takes the int64 histogram (C, 2, bins) of ``score_histogram``, or a sum of several with the same settings; returns
    float64 (C,), 0 to 1, nan for a class without positive pixels. Raises ValueError if it is no such histogram, or if
    scores were nan or labels out of range.
    """
    if histogram.ndim != 3 or histogram.shape[1] != 2 or histogram.dtype != torch.int64:
        raise ValueError(f"expected an int64 histogram (C, 2, bins), not {histogram.dtype} {tuple(histogram.shape)}")
    invalid = histogram[:, :, INVALID_BIN].sum(1)
    if int(invalid.sum()) > 0:
        raise ValueError(
            f"average precision is undefined: some scores are nan, or labels outside 0 to {len(histogram) - 1} and not "
            f"ignore_index (counted at class 0); such pixels by class: {invalid.tolist()}"
        )
    # One class at a time keeps the temporary float64 tensors small.
    return torch.stack([_average_precision(negatives, positives) for negatives, positives in histogram])


class HistogramAveragePrecision(Metric):
    """Average precision of each class over everything it was updated with, in constant memory.

    ``update`` takes logits (N, C, *) and labels (N, *); ``compute`` returns float64 (C,), nan for a class that never
    occurred. The state is one int64 histogram of ``16 * num_classes * bins`` bytes (21 MB for 5 classes), summed over
    processes; it takes memory from the first update to the next ``reset``. From some ten thousand pixels on, the result
    is within 1e-4 of scikit-learn, unless the logits of a class all lie within a hundred bins (0.006 at a logit of 1;
    see ``score_histogram``), where more bins help.

    Args:
        num_classes: C, at least 2.
        ranking: "logits" ranks by the raw logit of the class, "softmax" by its probability. The two differ.
        bins: bins per class, 8 to 2**22.
        ignore_index: label of pixels to leave out.

    Raises:
        ValueError: arguments out of range; from ``compute``, nan scores or labels out of range were seen.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    histogram: Tensor

    def __init__(
        self,
        num_classes: int,
        ranking: Ranking = "logits",
        bins: int = DEFAULT_BINS,
        ignore_index: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_settings(num_classes, bins, ranking)
        self.num_classes = num_classes
        self.ranking: Ranking = ranking
        self.bins = bins
        self.ignore_index = ignore_index
        self.add_state("histogram", torch.zeros(1, 1, 1, dtype=torch.int64), dist_reduce_fx="sum")
        self._defaults["histogram"] = self.histogram = self._nothing(self.histogram.device)

    def _nothing(self, device: torch.device) -> Tensor:
        """The histogram of nothing, in a single number: what is not in use takes no memory."""
        return torch.zeros((), dtype=torch.int64, device=device).expand(self.num_classes, 2, self.bins)

    def _apply(self, fn: Any, *args: Any, **options: Any) -> Any:
        """To move what is not in use makes it a full tensor: undone here."""
        unused = not self.histogram.is_contiguous()
        moved = super()._apply(fn, *args, **options)
        nothing = self._nothing(self.histogram.device)
        self._defaults["histogram"] = nothing
        if unused:
            self.histogram = nothing
        return moved

    def reset(self) -> None:
        """Forget all scores, and give the memory back until the next update."""
        device = self.histogram.device
        self.histogram = self._nothing(device)
        super().reset()
        self.histogram = self._nothing(device)

    def update(self, scores: Tensor, targets: Tensor) -> None:
        """Add the scores (N, C, *) of pixels with labels (N, *)."""
        if not self.histogram.is_contiguous():
            self.histogram = self.histogram.contiguous()
        settings = self.num_classes, self.bins, self.ranking
        score_histogram(scores, targets, *settings, ignore_index=self.ignore_index, out=self.histogram)

    def compute(self) -> Tensor:
        """Average precision (C,) over all pixels so far; see ``average_precision_from_histogram``."""
        return average_precision_from_histogram(self.histogram)


def _average_precision(negatives: Tensor, positives: Tensor) -> Tensor:
    """Average precision of one class from its counts (bins,) by ascending score, bin 0 empty."""
    total = torch.zeros((), dtype=torch.float64, device=positives.device)
    hits = misses = total
    bins = len(positives)
    for start in reversed(range(0, bins, _SLICE)):
        inside = slice(start, min(start + _SLICE, bins))
        p, n = (_with_margins(counts, inside).double() for counts in (positives, negatives))
        held = p[1:-1].nonzero().squeeze(1)
        above = hits + _from_above(p[1:-1]), misses + _from_above(n[1:-1])
        total = total + _area(p, n, held, *(counts.index_select(0, held) for counts in above))
        hits, misses = above[0][0], above[1][0]
    return total / hits


def _with_margins(counts: Tensor, inside: slice) -> Tensor:
    """Counts of these bins and of the one on either side; 0 beyond the ends."""
    below, above = int(inside.start == 0), int(inside.stop == len(counts))
    part = counts[inside.start - 1 + below : inside.stop + 1 - above]
    return torch.nn.functional.pad(part, (below, above)) if below or above else part


def _from_above(counts: Tensor) -> Tensor:
    """Sums of each count and all that follow it. Whole numbers stay exact in float64."""
    return counts.flip(0).cumsum(0).flip(0)


def _area(positives: Tensor, negatives: Tensor, held: Tensor, hits: Tensor, misses: Tensor) -> Tensor:
    """Sum over the positives of the bins ``held`` of the precision at each.

    Takes float64 counts with margins (B + 2,), positions in the B bins, and there the numbers of positives and of
    negatives at this bin or above.
    """
    p, p_around, p_tilt = _with_neighbours(positives, held)
    n, n_around, n_tilt = _with_neighbours(negatives, held)
    tied = p + n > 2 * (p_around + n_around)
    seen = hits + misses

    one_threshold = p * hits / seen
    # With h hits among s scores before the bin: sum over i = 1..p of (h + i) / (s + i * step).
    step = 1 + n / (p + 1)
    before = (seen - p - n) / step
    mixed = (p + (hits - p - before) * _harmonic(before, p)) / step
    # Densities that tilt in the bin put this many more negatives before its positives.
    mixed -= (p * n_tilt - n * p_tilt) / 6 * (hits - p / 2) / (seen - (p + n) / 2) ** 2
    return torch.where(tied, one_threshold, mixed).sum()


def _with_neighbours(counts: Tensor, held: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Counts in the bins ``held``, in the two around each, and half the rise of the density within the bin."""
    below, inside, above = (counts[i : len(counts) - 2 + i].index_select(0, held) for i in range(3))
    # A density falls no lower than 0.
    return inside, below + above, ((above - below) / 4).clamp(-inside, inside)


def _harmonic(start: Tensor, count: Tensor) -> Tensor:
    """Sum of 1 / (start + i) over i = 1..count."""
    # Off by less than 1 part in 24 * start**2; digamma, which is slow, would cancel for a large start.
    value = torch.log1p(count / (start + 0.5))
    near = (start < 1000).nonzero().squeeze(1)
    start, count = start.index_select(0, near), count.index_select(0, near)
    return value.index_copy_(0, near, torch.digamma(start + count + 1) - torch.digamma(start + 1))
