"""Histograms of scores, class by class, in which no two scores swap their order.

Counting is bound by memory and by the number of passes, so the processor works class by class: a class's bins stay in
its cache, and ``bincount`` adds to a small table there. Other devices take all classes at once, in few large steps.
"""

import math
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Literal, get_args

import torch
from torch import Tensor

Ranking = Literal["logits", "softmax"]

DEFAULT_BINS = 2**18
MAX_BINS = 2**22  # beyond it neighbouring bins are closer than float32 can tell apart
_MOST_CELLS = 2**22  # of all classes together, where their number decides
INVALID_BIN = 0  # lowest bin, kept free of scores

_PIECE_SCORES = 2**20  # 4 MB of float32 bounds the temporary memory
# Up to this many scores the CPU does not split a step over threads. A chunk stays in the processor's cache, and nothing
# waits for a second thread, which takes far longer than the counting when other work holds the processors.
_CHUNK_SCORES = 2**15
# Scores of a class that are counted at a time on the CPU. A pass over the table of counts comes with each, so they are
# twice as many as there are bins; and at least so many that the steps are worth their calls.
_SMALLEST_PIECE = 2**16
_FEW_PIXELS = 2**13

_NORMAL = 2.0**24  # makes the smallest float32, 2**-149, one with all its digits
_LOG2_E = 1 / math.log(2)
# From an odds' 2**23 steps of float32 an octave to its natural logarithm, under the root of `_Places`.
_ROOT_OF_STEP = math.sqrt(math.log(2) / 2**23)


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
    still holds any magnitude. ``x`` is the logit, or for softmax nearly ``log(p / (1 - p)) + log(C - 1)``, which is 0
    at ``p = 1 / C`` (see `_Places.log_odds`). Scores and probabilities are ranked as float32, whose rounding makes
    ties: a probability within 3e-8 of 1 is 1, and one below 1e-38 is 0 where denormals are flushed.

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
    check_settings(num_classes, bins, ranking)
    _check_inputs(scores, targets, num_classes)
    shape = num_classes, 2, bins
    if out is None:
        out = torch.zeros(shape, dtype=torch.int64, device=scores.device)
    elif out.shape != shape or out.dtype != torch.int64 or not out.is_contiguous():
        raise ValueError(f"out must be a contiguous int64 tensor {shape}, not {out.dtype} {tuple(out.shape)}")
    scores = scores.detach().reshape(*scores.shape[:2], math.prod(scores.shape[2:]))
    targets = targets.reshape(len(targets), scores.shape[2])
    few = targets.numel() < max(bins // 2, _FEW_PIXELS)
    count = _count_all_classes if few or not scores.is_cpu else _count_class_by_class
    count(scores, targets, ranking, ignore_index, out)
    return out


def bins_for(num_classes: int) -> int:
    """Bins per class for a data set: `DEFAULT_BINS` up to 16 classes, then so many that the table stays below 64 MB."""
    most = _MOST_CELLS // max(num_classes, 1)
    return min(DEFAULT_BINS, 1 << most.bit_length() - 1)


def check_settings(num_classes: int, bins: int, ranking: str) -> None:
    """Raises ValueError where one of them is out of range."""
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


def _count_all_classes(
    scores: Tensor, targets: Tensor, ranking: Ranking, ignore_index: int | None, out: Tensor
) -> None:
    """Count scores (N, C, P) with labels (N, P) without waiting for the device."""
    num_classes, _, bins = out.shape
    place = _Places(bins, ranking, num_classes, scores.device)
    classes = torch.arange(num_classes, device=scores.device).view(1, -1, 1)
    one = torch.ones((), dtype=torch.int64, device=scores.device)
    for images, pixels in _pieces(targets.shape, _PIECE_SCORES // num_classes):
        x, labels = scores[images, :, pixels], targets[images, None, pixels]
        index = place(x, _softmax_parts(x) if ranking == "softmax" else None).long()
        # One class is enough to have the whole histogram refused.
        index[:, 0].masked_fill_(((labels < 0) | (labels >= num_classes)).squeeze(1), INVALID_BIN)
        index += (2 * classes + (labels == classes)) * bins
        weights = one if ignore_index is None else (labels != ignore_index).long()
        # Unlike bincount, this needs no second table and no wait for the device. On integers it is exact in any order,
        # and with deterministic algorithms on CUDA has one that does not raise.
        out.view(-1).index_add_(0, index.reshape(-1), weights.expand(index.shape).reshape(-1))


def _count_class_by_class(
    scores: Tensor, targets: Tensor, ranking: Ranking, ignore_index: int | None, out: Tensor
) -> None:
    """The same for many pixels on the CPU."""
    num_classes, _, bins = out.shape
    place = _Places(bins, ranking, num_classes, scores.device)
    for images, pixels in _pieces(targets.shape, max(2 * bins, _SMALLEST_PIECE)):
        x, labels = scores[images, :, pixels], targets[images, pixels]
        left_out = labels == ignore_index if ignore_index is not None else None
        lowest, highest = (int(bound) for bound in labels.aminmax())
        wrong = (labels < 0) | (labels >= num_classes) if lowest < 0 or highest >= num_classes else None
        index = torch.empty(labels.shape, dtype=torch.int32)
        chunks = list(_chunks(x, labels.to(torch.int32), index, ranking))
        for number, counts in enumerate(out):
            for some, parts, truth, part in chunks:
                part.copy_(place(some.select(1, number), parts))
                # Comparing within one type is several times as fast as making booleans.
                part.add_(torch.eq(truth, number, out=torch.empty_like(truth)), alpha=bins)
            if wrong is not None and number == 0:
                index.masked_fill_(wrong, INVALID_BIN)
            if left_out is not None:
                index.masked_fill_(left_out, 2 * bins)
            counts += torch.bincount(index.view(-1), minlength=2 * bins + 1)[:-1].view(2, bins)


_Parts = tuple[Tensor, Tensor]


def _chunks(
    scores: Tensor, labels: Tensor, index: Tensor, ranking: Ranking
) -> Iterator[tuple[Tensor, _Parts | None, Tensor, Tensor]]:
    """Views of scores (n, C, p), labels (n, p) and index (n, p) chunk by chunk, and the parts (n, p) of a softmax.

    Those parts are all that is kept: the softmax of all classes would take more memory than everything else.
    """
    for images, pixels in _pieces(labels.shape, _CHUNK_SCORES):
        some = scores[images, :, pixels]
        parts = _softmax_parts_by_class(some) if ranking == "softmax" else None
        yield some, parts, labels[images, pixels], index[images, pixels]


def _pieces(shape: Sequence[int], size: int) -> Iterator[tuple[slice, slice]]:
    """Slices of images and of their pixels, of about equal sizes and at most ``size`` pixels."""
    images, pixels = shape
    columns = math.ceil(pixels / max(1, math.ceil(pixels / max(1, size))))
    most = max(1, size // max(1, columns))
    rows = math.ceil(images / max(1, math.ceil(images / most)))
    for i in range(0, images, max(1, rows)):
        for j in range(0, pixels, max(1, columns)):
            yield slice(i, i + rows), slice(j, j + columns)


def _softmax_parts(logits: Tensor) -> _Parts:
    """Largest logit, and sum of the exponentials of all distances to it, both (n, 1, p), of logits (n, C, p)."""
    highest = _single(logits.amax(1, keepdim=True))
    return highest, _exponential(logits, highest).sum(1, keepdim=True)


def _softmax_parts_by_class(logits: Tensor) -> _Parts:
    """The same, (n, p), without a copy of all classes."""
    classes = logits.unbind(1)
    highest = _single(reduce(torch.maximum, classes))
    total = torch.zeros_like(highest, dtype=torch.float32)
    for some in classes:
        total += _exponential(some, highest)
    return highest, total


def _exponential(logits: Tensor, highest: Tensor) -> Tensor:
    # exp2 has a fast kernel on every processor, and exp none on some.
    return (_single(logits) - highest).float().mul_(_LOG2_E).exp2_()


def _single(logits: Tensor) -> Tensor:
    """At least float32."""
    return logits if logits.dtype == torch.float64 else logits.float()


class _Places:
    """The bins of scores.

    Called with logits and, to rank by softmax, its parts; returns bins 1 to ``bins - 1`` as float32 to be truncated,
    and INVALID_BIN for nan.
    """

    def __init__(self, bins: int, ranking: Ranking, num_classes: int, device: torch.device) -> None:
        self.root = _ROOT_OF_STEP if ranking == "softmax" else 1.0
        self.even = _bits(_NORMAL / num_classes) - _bits(1 - 1 / num_classes)
        self.middle = torch.full((), (bins + 1) / 2, dtype=torch.float32, device=device)
        # So far +inf comes to the last float32 below ``bins``.
        self.reach = self.root * ((bins - 1) / 2 - bins * 2**-24)

    def __call__(self, logits: Tensor, parts: _Parts | None) -> Tensor:
        # Written as 1 / (1 + 1 / sqrt(|x|)) every step keeps the order under rounding, 0 and inf need no special case,
        # and the CPU has no step that splits so small a chunk over threads, which stalls when other work holds a
        # processor.
        x = logits.float() if parts is None else self.log_odds(_exponential(logits, parts[0]).div_(parts[1]))
        size = x.abs().rsqrt_().add_(self.root).reciprocal_()
        return torch.addcmul(self.middle, size, x.sign(), value=self.reach).nan_to_num_(nan=INVALID_BIN)

    def log_odds(self, probability: Tensor) -> Tensor:
        """Log odds of float32 probabilities against 1 / C, in units of ln(2) / 2**23, strictly rising, 0 at 1 / C.

        The bits of a positive float, read as an integer, are its logarithm to base 2 times 2**23, but for the mantissa,
        which they take for a straight line (0.09 octaves off at most). They rise by 1 from one float to the next, so
        that probabilities that differ at all keep apart, which no logarithm in float32 would do.
        """
        odds = (probability * _NORMAL).view(torch.int32) - (1 - probability).view(torch.int32)
        # The probability is not worth a step here, but nan, which has bits like a number's, stays nan by it.
        return torch.add(probability, odds.sub_(self.even))


def _bits(value: float) -> int:
    return int(torch.tensor(value, dtype=torch.float32).view(torch.int32))
