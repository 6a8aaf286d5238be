"""Average precision of scores and labels that nobody thought of, against scikit-learn."""

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from scored import IGNORED, Scored, average_precision_bounds, examples, log_odds, places, scored
from sklearn.metrics import (
    average_precision_score,
)

from amounts import record
from fashseg.metrics import score_histogram as counting
from fashseg.metrics.average_precision import HistogramAveragePrecision, Ranking, average_precision_from_histogram

WAYS = ["all classes at once", "class by class"]
BINS = st.sampled_from([8, 64, 1024, 2**14, 2**18])


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to count scores, the second as for many pixels."""
    if request.param == WAYS[1]:
        request.getfixturevalue("always_class_by_class")
        monkeypatch.setattr(counting, "_SMALLEST_PIECE", 1)
        monkeypatch.setattr(counting, "_CHUNK_SCORES", 7)
    return str(request.param)


def metric_of(case: Scored, ranking: Ranking, bins: int) -> HistogramAveragePrecision:
    metric = HistogramAveragePrecision(case.classes, ranking, bins, ignore_index=IGNORED)
    for scores, targets in case.split():
        metric.update(scores, targets)
    return metric


def test_average_precision_by_logits(way: str) -> None:
    @examples(scored(ignore=True), BINS)
    def figures(case: Scored, bins: int) -> str:
        found = metric_of(case, "logits", bins).compute()
        exact = 0
        for value, (scores, hit) in zip(found.tolist(), case.by_class(), strict=True):
            if not hit.any():
                assert np.isnan(value)
                continue
            assert 0 <= value <= 1
            place = places(scores.float().double().numpy(), bins)
            low, high = average_precision_bounds(place - 0.51, place + 0.51, hit.numpy())
            assert low - 1e-9 <= value <= high + 1e-9
            apart = np.diff(np.unique(place))
            if not apart.size or apart.min() > 2.1:  # no other score is in the same bin or in the next
                exact += 1
                ranks = np.unique(place, return_inverse=True)[1]  # scikit-learn takes no infinite scores
                assert value == pytest.approx(average_precision_score(hit, ranks), abs=1e-9)
        return "exact in each class" if exact == found.isfinite().sum() else "within the width of the bins"

    record(f"average precision by logits against scikit-learn, {way}", **figures)


def test_average_precision_by_softmax(way: str) -> None:
    @examples(scored(sane=True, ignore=True), BINS)
    def figures(case: Scored, bins: int) -> str:
        found = metric_of(case, "softmax", bins).compute()
        probabilities = Scored(case.scores.double().softmax(1), case.targets, case.batches)
        exact = 0
        for value, (scores, hit) in zip(found.tolist(), probabilities.by_class(), strict=True):
            if not hit.any():
                assert np.isnan(value)
                continue
            assert 0 <= value <= 1
            # What rounding to float32 leaves of a probability, and of a bin.
            p = scores.numpy()
            sides = np.clip([p * (1 - 2e-5) - 1e-38, p * (1 + 2e-5) + 1e-38], 0, 1)
            below, above = places(log_odds(sides, case.classes), bins)
            low, high = average_precision_bounds(below - 1, above + 1, hit.numpy())
            assert low - 1e-9 <= value <= high + 1e-9
            order = np.argsort(p)
            apart = (below - 2)[order][1:] - (above + 2)[order][:-1]
            if ((apart > 0) | (np.diff(p[order]) == 0)).all():
                exact += 1
                assert value == pytest.approx(average_precision_score(hit, p), abs=1e-9)
        return "exact in each class" if exact == found.isfinite().sum() else "within the width of the bins"

    record(f"average precision by softmax against scikit-learn, {way}", **figures)


def test_softmax_of_infinite_logits_is_refused_where_it_is_undefined(way: str) -> None:
    @examples(scored())
    def figures(case: Scored) -> str:
        metric = metric_of(case, "softmax", 1024)
        if case.scores.softmax(1).isnan().any():
            with pytest.raises(ValueError, match="some scores are nan"):
                metric.compute()
            return "undefined"
        values = metric.compute()
        there = [bool(hit.any()) for _, hit in case.by_class()]
        assert (~values.isnan()).tolist() == there
        return "defined"

    record(f"softmax of any magnitude, {way}", **figures)


@pytest.mark.parametrize("ranking", ["logits", "softmax"])
def test_constant_scores_give_the_share_of_each_class(ranking: Ranking, way: str) -> None:
    @examples(scored(sane=True), BINS)
    def figures(case: Scored, bins: int) -> None:
        same = case.scores.flatten(2)[:1, :, :1] if case.scores.ndim > 2 else case.scores[:1]
        same = same.reshape(1, -1, *[1] * (case.scores.ndim - 2)).expand_as(case.scores)
        found = metric_of(Scored(same, case.targets, case.batches), ranking, bins).compute()
        shares = torch.bincount(case.targets.flatten().long(), minlength=case.classes).double() / case.targets.numel()
        torch.testing.assert_close(found, shares.masked_fill(shares == 0, torch.nan), equal_nan=True)

    record(f"average precision by {ranking} of constant scores, {way}", **figures)


@pytest.mark.parametrize("ranking", ["logits", "softmax"])
def test_batches_are_counted_as_one(ranking: Ranking, way: str) -> None:
    @examples(scored(), BINS)
    def figures(case: Scored, bins: int) -> None:
        whole = counting.score_histogram(case.scores, case.targets, case.classes, bins, ranking)
        assert torch.equal(metric_of(case, ranking, bins).histogram, whole)
        assert whole.sum((1, 2)).tolist() == [case.targets.numel()] * case.classes

    record(f"histograms of batches by {ranking}, {way}", **figures)


def test_any_histogram_scores_within_its_bins() -> None:
    counts = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=7, max_size=30)

    @examples(counts, quick=200, full=3000)
    def figures(rows: list[tuple[int, int]]) -> None:
        table = np.array([(0, 0), *rows])
        value = float(average_precision_from_histogram(torch.from_numpy(table.T.copy())[None])[0])
        places = np.repeat(np.arange(len(table)), table.sum(1)).astype(float)
        hit = np.concatenate([np.repeat([False, True], pair) for pair in table]).astype(bool)
        if not hit.any():
            assert np.isnan(value)
            return
        low, high = average_precision_bounds(places, places, hit)
        assert low - 1e-9 <= value <= high + 1e-9

    record("average precision of any histogram, within its bins", **figures)
