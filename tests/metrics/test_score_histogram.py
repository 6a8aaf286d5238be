"""Histograms of scores: what is counted where, and what it takes."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pixels import RANKINGS, by_scikit_learn, ours, segmentation
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from fashseg.metrics import score_histogram as counting
from fashseg.metrics.average_precision import HistogramAveragePrecision, Ranking, average_precision_from_histogram
from fashseg.metrics.score_histogram import score_histogram


def test_scores_of_all_magnitudes_keep_their_order() -> None:
    magnitudes = torch.logspace(-12, 6, 181)
    scores = torch.cat([-magnitudes.flip(0), torch.zeros(1), magnitudes])
    histogram = score_histogram(torch.stack([scores, -scores], 1), torch.zeros(len(scores), dtype=torch.long), 2)
    # Magnitudes a seventh apart: all but the smallest, below 1e-9, have a bin of their own.
    assert (histogram[0, 1] > 0).sum() > len(scores) - 65
    ranked = counting._Places(2**18, "logits", 2, scores.device)(scores, None).long()
    assert (ranked.diff() >= 0).all()
    assert ranked[0] > 0


@pytest.mark.parametrize("ranking", RANKINGS)
@pytest.mark.parametrize(("ignored", "dtype"), [(255, torch.uint8), (-100, torch.int64), (0, torch.int32)])
def test_ignored_pixels_do_not_count(ignored: int, dtype: torch.dtype, ranking: Ranking) -> None:
    logits, targets = segmentation(2, 3, 30, 30)
    targets[:, :9] = ignored
    kept = targets.flatten() != ignored
    pixels = logits.movedim(1, -1).reshape(-1, 3)[kept]
    expected = by_scikit_learn(pixels, targets.flatten()[kept], ranking)
    logits[:, :, :9] = torch.nan if ignored == 255 else 7.0
    actual = ours(logits, targets.to(dtype), ranking, ignore_index=ignored)
    torch.testing.assert_close(actual, expected, atol=1e-4, rtol=0, equal_nan=True)


def test_no_score_from_nan_or_from_labels_out_of_range() -> None:
    logits, targets = segmentation(1, 3, 8, 8)
    for ranking in RANKINGS:
        bad = logits.clone()
        bad[0, 1, 2, 3] = torch.nan
        with pytest.raises(ValueError, match="undefined: some scores are nan"):
            ours(bad, targets, ranking)
    for label in (3, -1, 200):
        bad_targets = targets.clone()
        bad_targets[0, 4, 4] = label
        with pytest.raises(ValueError, match="labels outside 0 to 2"):
            ours(logits, bad_targets)


def test_wrong_arguments_are_refused() -> None:
    logits, targets = segmentation(1, 3, 8, 8)
    with pytest.raises(ValueError, match=r"must be \(N, 4, \*\)"):
        score_histogram(logits, targets, 4)
    with pytest.raises(ValueError, match=r"must be \(N, 3, \*\)"):
        score_histogram(logits, targets[:, :4], 3)
    with pytest.raises(ValueError, match="floating-point logits"):
        score_histogram(logits.long(), targets, 3)
    with pytest.raises(ValueError, match="integer labels"):
        score_histogram(logits, targets.float(), 3)
    with pytest.raises(ValueError, match="logits, softmax, not 'sigmoid'"):
        HistogramAveragePrecision(3, ranking="sigmoid")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bins must be"):
        HistogramAveragePrecision(3, bins=2**23)
    with pytest.raises(ValueError, match="contiguous int64"):
        score_histogram(logits, targets, 3, 64, out=torch.zeros(3, 2, 64))
    with pytest.raises(ValueError, match="int64 histogram"):
        average_precision_from_histogram(torch.zeros(3, 2, 64))


def test_batches_pieces_and_deterministic_mode_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    logits, targets = segmentation(5, 3, 33, 35)
    for ranking in RANKINGS:
        whole = score_histogram(logits, targets, 3, ranking=ranking)
        assert whole[:, :, 0].sum() == 0
        assert whole.sum((1, 2)).tolist() == [targets.numel()] * 3
        metric = HistogramAveragePrecision(3, ranking)
        for some_logits, some_targets in zip(logits.split(2), targets.split(2), strict=True):
            metric.update(some_logits, some_targets)
        assert torch.equal(metric.histogram, whole)
        torch.use_deterministic_algorithms(True)
        try:
            assert torch.equal(score_histogram(logits, targets, 3, ranking=ranking), whole)
        finally:
            torch.use_deterministic_algorithms(False)
    monkeypatch.setattr(counting, "_PIECE_SCORES", 5000)
    assert torch.equal(score_histogram(logits, targets, 3), score_histogram(logits.flatten(2), targets.flatten(1), 3))
    torch.testing.assert_close(ours(logits, targets, "softmax"), metric.compute(), atol=1e-6, rtol=0)


LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "float32": Tensor.contiguous,
    "channels last": lambda logits: logits.movedim(1, -1).contiguous().movedim(-1, 1),
    "bfloat16": Tensor.bfloat16,
    "float64": Tensor.double,
    "with infinities": lambda logits: logits.masked_fill(logits > 2, torch.inf),
    "with nan": lambda logits: logits.masked_fill(logits > 2, torch.nan),
}


@pytest.mark.parametrize("ranking", RANKINGS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_ways_of_counting_agree(layout: str, ranking: Ranking, request: pytest.FixtureRequest) -> None:
    logits, targets = segmentation(5, 3, 33, 35)
    logits = LAYOUTS[layout](logits)
    targets[1, 3], targets[2, 4], targets[3:, 5] = 3, -1, 9
    settings: dict[str, Any] = {"num_classes": 3, "bins": 1024, "ranking": ranking}
    expected = [score_histogram(logits, targets, **settings, ignore_index=ignored) for ignored in (None, 9)]
    assert expected[0][0, :, 0].sum() > expected[1][0, :, 0].sum() > 0
    request.getfixturevalue("always_class_by_class")
    for whole, ignored in zip(expected, (None, 9), strict=True):
        counts = score_histogram(logits, targets, **settings, ignore_index=ignored)
        # A probability on the edge of a bin may be rounded to either side.
        moved = (counts - whole).abs().sum().item()
        assert moved <= (20 if ranking == "softmax" else 0)
        assert torch.equal(counts[..., 0], whole[..., 0])
        assert torch.equal(counts.sum(2), whole.sum(2))


def test_probabilities_keep_their_order() -> None:
    for classes in (2, 5, 150):
        place = counting._Places(2**18, "softmax", classes, torch.device("cpu"))
        near = torch.tensor([0.0, 1 / classes, 1.0]).view(torch.int32)
        for start, stop in ((near[0], near[0] + 500), (near[1] - 500, near[1] + 500), (near[2] - 500, near[2] + 1)):
            every = torch.arange(int(start), int(stop), dtype=torch.int32).view(torch.float32)
            odds = place.log_odds(every)
            assert (odds.diff() > 0).all()  # neighbouring floats keep apart
        spread = torch.cat([torch.zeros(1), torch.logspace(-44, 0, 10_000), torch.ones(1)]).clamp(max=1)
        assert (place.log_odds(spread).diff() >= 0).all()
        assert place.log_odds(torch.tensor(1 / classes)).abs() <= 2
        assert place.log_odds(torch.tensor(torch.nan)).isnan()


@pytest.mark.parametrize("ranking", RANKINGS)
def test_elsewhere_than_on_the_cpu_counting_waits_for_nothing(ranking: Ranking) -> None:
    metric = HistogramAveragePrecision(3, ranking, ignore_index=255).to("meta")
    logits, targets = (part.to("meta") for part in segmentation(5, 3, 33, 35))
    # No number can be read from a tensor on "meta": whatever waits for the device raises.
    with pytest.raises(RuntimeError):
        int(targets.sum())
    metric.update(logits, targets)


class LargestAllocation(TorchDispatchMode):
    """Bytes of the largest tensor that an operation made, rather than changed or viewed."""

    def __init__(self, *known: Tensor) -> None:
        super().__init__()
        self.bytes = 0
        self.known = {tensor.untyped_storage().data_ptr() for tensor in known}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.untyped_storage().data_ptr() not in self.known:
            self.bytes = max(self.bytes, result.untyped_storage().nbytes())
        return result


@pytest.mark.parametrize("ranking", RANKINGS)
def test_memory_does_not_grow_with_the_batch(ranking: Ranking) -> None:
    logits, targets = torch.zeros(2, 150, 256, 256), torch.zeros(2, 256, 256, dtype=torch.long)
    histogram = torch.zeros(150, 2, 1024, dtype=torch.long)
    with LargestAllocation(logits, targets, histogram) as seen:
        score_histogram(logits, targets, 150, 1024, ranking, out=histogram)
    assert 0 < seen.bytes <= 10 * 2**20  # the logits take 79 MB
