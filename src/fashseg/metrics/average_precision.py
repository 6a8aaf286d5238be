"""Average precision per class over all pixels of a data set, in constant memory.

scikit-learn's ``average_precision_score`` wants every score at once and sorts them. Here each class counts its scores
in a fixed histogram, one half for the pixels that are of the class and one for those that are not; the
precision-recall path is read from the counts. Histograms add up, over batches and over processes, without loss.
"""

import math
from collections.abc import Iterator
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torchmetrics import Metric

Ranking = Literal["logits", "softmax"]

DEFAULT_BINS = 2**18
MAX_BINS = 2**22  # beyond it neighbouring bins are closer than float32 can tell apart
INVALID_BIN = 0  # lowest bin, kept free of scores
_PIECE_SCORES = 2**20  # 4 MB of float32 bounds the temporary memory
# Up to this many scores the CPU does not split a step over threads. A chunk stays in the processor's cache, and nothing
# waits for a second thread, which takes far longer than the counting when other work holds the processors.
_CPU_CHUNK_SCORES = 2**15


def score_histogram(
    scores: Tensor,
    targets: Tensor,
    num_classes: int,
    bins: int = DEFAULT_BINS,
    ranking: Ranking = "logits",
    *,
    ignore_index: int | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Count the scores of each class by bin, apart for pixels that are of the class and pixels that are not.

    Bins are equally wide in ``sign(x) * (1 - 1 / (1 + sqrt(|x|)))``, which never swaps two scores: near ``x`` a bin is
    ``4 * sqrt(|x|) * (1 + sqrt(|x|))**2 / bins`` wide, so that it is finest at 0, where untrained networks score, and
    still holds any magnitude. ``x`` is the logit, or for softmax ``log(p / (1 - p)) + log(C - 1)``, which is 0 at
    ``p = 1 / C``. Softmax is taken in float32 (float64 for float64 scores), and its rounding makes ties: a probability
    within 3e-8 of 1 is 1.

    Args:
        scores: logits (N, C, *) of any floating type; ±inf is allowed (a softmax of +inf is nan).
        targets: labels (N, *) of any integer type, 0 to C - 1 or ``ignore_index``.
        num_classes: C, at least 2.
        bins: bins per class, 8 to 2**22; the histogram takes ``16 * C * bins`` bytes.
        ranking: "logits" ranks pixels by the raw logit of the class, "softmax" by its probability.
        ignore_index: label of pixels to leave out.
        out: int64 (C, 2, bins) to add the counts to, in place of a new tensor.

    Returns:
        int64 (C, 2, bins): [class, 0 for negatives and 1 for positives, bin by ascending score]. Bin 0 takes no score:
        it counts nan scores and, for class 0, labels out of range, both without waiting for the device;
        ``average_precision_from_histogram`` refuses a histogram with such counts.

    Raises:
        ValueError: shapes, types or arguments do not fit.
    """
    _check_settings(num_classes, bins, ranking)
    _check_inputs(scores, targets, num_classes)
    shape = num_classes, 2, bins
    if out is None:
        out = torch.zeros(shape, dtype=torch.int64, device=scores.device)
    elif out.shape != shape or out.dtype != torch.int64 or not out.is_contiguous():
        raise ValueError(f"out must be a contiguous int64 tensor {shape}, not {out.dtype} {tuple(out.shape)}")
    counts = out.view(-1)
    classes = torch.arange(num_classes, device=scores.device).view(1, -1, 1)
    one = torch.ones((), dtype=torch.int64, device=scores.device)
    for chunk, labels in _chunks(scores.detach(), targets, ranking):
        index = _bin_index(chunk, bins)
        # One class is enough to have the whole histogram refused.
        index[:, 0].masked_fill_(((labels < 0) | (labels >= num_classes)).squeeze(1), INVALID_BIN)
        index += (2 * classes + (labels == classes)) * bins
        weights = one if ignore_index is None else (labels != ignore_index).long()
        # Unlike bincount, this needs no second table, no pass for the maximum and no wait for the device. On integers
        # it is exact in any order, and with deterministic algorithms on CUDA has one that does not raise.
        counts.index_add_(0, index.reshape(-1), weights.expand(index.shape).reshape(-1))
    return out


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
    processes. From some ten thousand pixels on it is within 1e-4 of scikit-learn, unless the logits of a class all lie
    within a hundred bins (0.006 at a logit of 1; see ``score_histogram``), where more bins help.

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
        _check_settings(num_classes, bins, ranking)
        self.num_classes = num_classes
        self.ranking: Ranking = ranking
        self.bins = bins
        self.ignore_index = ignore_index
        self.add_state("histogram", torch.zeros(num_classes, 2, bins, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, scores: Tensor, targets: Tensor) -> None:
        """Add the scores (N, C, *) of pixels with labels (N, *)."""
        settings = self.num_classes, self.bins, self.ranking
        score_histogram(scores, targets, *settings, ignore_index=self.ignore_index, out=self.histogram)

    def compute(self) -> Tensor:
        """Average precision (C,) over all pixels so far; see ``average_precision_from_histogram``."""
        return average_precision_from_histogram(self.histogram)


def _check_settings(num_classes: int, bins: int, ranking: str) -> None:
    if num_classes < 2:
        raise ValueError(f"num_classes must be at least 2, not {num_classes}")
    if not 8 <= bins <= MAX_BINS:
        raise ValueError(f"bins must be from 8 to {MAX_BINS}, not {bins}")
    if ranking not in get_args(Ranking):
        raise ValueError(f"ranking must be one of {', '.join(get_args(Ranking))}, not {ranking!r}")


def _check_inputs(scores: Tensor, targets: Tensor, num_classes: int) -> None:
    if not scores.is_floating_point():
        raise ValueError(f"scores must be floating-point logits, not {scores.dtype}")
    if targets.is_floating_point() or targets.dtype == torch.bool:
        raise ValueError(f"targets must be integer labels, not {targets.dtype}")
    if scores.ndim < 2 or scores.shape[1] != num_classes or scores.shape[:1] + scores.shape[2:] != targets.shape:
        raise ValueError(
            f"scores {tuple(scores.shape)} and targets {tuple(targets.shape)} must be (N, {num_classes}, *) and (N, *)"
        )


def _chunks(scores: Tensor, targets: Tensor, ranking: Ranking) -> Iterator[tuple[Tensor, Tensor]]:
    """Pieces (n, C, p) of the scores as they are ranked, and (n, 1, p) of the labels; small however large the batch."""
    scores = scores.reshape(*scores.shape[:2], math.prod(scores.shape[2:]))
    targets = targets.reshape(len(targets), 1, scores.shape[2])
    chunk = _CPU_CHUNK_SCORES if scores.is_cpu else _PIECE_SCORES
    for piece, labels in _split(scores, targets, _PIECE_SCORES):
        yield from _split(_scale(piece, ranking), labels, chunk)


def _split(scores: Tensor, targets: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Views of (n, C, p) scores and (n, 1, p) targets, of at most ``size`` scores where C is not larger."""
    pixels = max(1, size // scores.shape[1])
    images = max(1, pixels // max(1, scores.shape[2]))
    for i in range(0, scores.shape[0], images):
        for j in range(0, scores.shape[2], pixels):
            part = slice(i, i + images), slice(None), slice(j, j + pixels)
            yield scores[part], targets[part]


def _scale(logits: Tensor, ranking: Ranking) -> Tensor:
    """Scores (n, C, p) as float32 or float64 on the scale of ``score_histogram``."""
    if logits.dtype != torch.float64:
        logits = logits.float()
    if ranking == "logits":
        return logits
    # In float64 the odds of neighbouring probabilities stay apart, those near 1 / C too.
    return torch.softmax(logits, 1).double().logit_().add_(math.log(logits.shape[1] - 1)).float()


def _bin_index(x: Tensor, bins: int) -> Tensor:
    """Bin 1 to bins - 1 of each score, int64; nan goes to INVALID_BIN.

    Written as ``1 / (1 + 1 / sqrt(|x|))`` every step keeps the order under rounding, 0 and inf need no special case,
    and the CPU has no step that splits so small a chunk over threads, which stalls when other work holds a processor.
    """
    half = (bins - 1) / 2
    position = x.abs().rsqrt_().add_(1).reciprocal_().mul_(half).copysign_(x).add_(half + 1)
    return position.clamp_(1, bins - 1).nan_to_num_(nan=INVALID_BIN).long()


def _average_precision(negatives: Tensor, positives: Tensor) -> Tensor:
    """Average precision of one class from its counts (bins,) by ascending score, bin 0 empty."""
    held = positives.nonzero().squeeze(1)
    p, p_around, p_tilt = _with_neighbours(positives, held)
    n, n_around, n_tilt = _with_neighbours(negatives, held)
    tied = p + n > 2 * (p_around + n_around)
    hits, seen = ((counts.sum() - counts.cumsum(0) + counts)[held].double() for counts in (positives, negatives))
    seen += hits

    one_threshold = p * hits / seen
    # With h hits among s scores before the bin: sum over i = 1..p of (h + i) / (s + i * step).
    step = 1 + n / (p + 1)
    before = (seen - p - n) / step
    mixed = (p + (hits - p - before) * _harmonic(before, p)) / step
    # Densities that tilt in the bin put this many more negatives before its positives.
    mixed -= (p * n_tilt - n * p_tilt) / 6 * (hits - p / 2) / (seen - (p + n) / 2) ** 2
    return torch.where(tied, one_threshold, mixed).sum() / positives.sum()


def _with_neighbours(counts: Tensor, held: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Float64 counts in the bins ``held``, in the two around each, and half the rise of the density within the bin."""
    counts = torch.nn.functional.pad(counts, (0, 1))
    inside, below, above = counts[held].double(), counts[held - 1].double(), counts[held + 1].double()
    # A density falls no lower than 0.
    return inside, below + above, ((above - below) / 4).clamp(-inside, inside)


def _harmonic(start: Tensor, count: Tensor) -> Tensor:
    """Sum of 1 / (start + i) over i = 1..count."""
    exact = torch.digamma(start + count + 1) - torch.digamma(start + 1)
    # For a large start the difference cancels, and this is off by less than 1 part in 24 * start**2.
    return torch.where(start < 1000, exact, torch.log1p(count / (start + 0.5)))
