"""Metrics on labels, scores and counts that nobody thought of, against scikit-learn, torchmetrics and plain NumPy."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import strategies as st
from scored import IGNORED, Scored, examples, scored
from sklearn.metrics import confusion_matrix, jaccard_score, precision_recall_curve, recall_score
from torchmetrics.functional.classification import multiclass_calibration_error

from amounts import record
from fashseg.metrics import confusion, prediction
from fashseg.metrics.calibration import expected_calibration_error, reliability_counts
from fashseg.metrics.precision_recall import at_thresholds, precision_recall_path
from fashseg.metrics.totals import Totals

Array = npt.NDArray[Any]
LOSS = st.one_of(st.floats(0, 20, width=32), st.floats(width=32))
SEEDS = st.integers(0, 2**31)


def test_predicted_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction, "_FEW_PIXELS", 0)

    @examples(scored(), st.booleans(), quick=100, full=1000)
    def figures(case: Scored, undefined: bool) -> None:
        scores = case.scores.clone()
        if undefined:
            scores[scores == scores.flatten()[0]] = torch.nan
        assert prediction.predicted_labels(scores).tolist() == scores.double().numpy().argmax(1).tolist()

    record("predicted labels against NumPy", **figures)


def test_confusion_and_what_is_read_from_it() -> None:
    @examples(scored(ignore=True))
    def figures(case: Scored) -> None:
        metric = confusion.PixelConfusionMatrix(case.classes, ignore_index=IGNORED)
        for batch in case.split():
            metric.update(*batch)
        kept = (case.targets != IGNORED).numpy()
        truth, said = case.targets.numpy()[kept], case.scores.double().numpy().argmax(1)[kept]
        labels = list(range(case.classes))
        matrix = metric.compute()
        if not truth.size:
            assert not matrix.any()
            assert confusion.accuracy(matrix).isnan()
            return
        assert matrix.tolist() == confusion_matrix(truth, said, labels=labels).tolist()
        recall = recall_score(truth, said, labels=labels, average=None, zero_division=np.nan)
        np.testing.assert_allclose(confusion.per_class_accuracy(matrix), recall)
        overlap = confusion.intersection_over_union(matrix)
        there = np.union1d(truth, said)
        assert np.flatnonzero(~overlap.isnan()).tolist() == there.tolist()
        np.testing.assert_allclose(overlap[there], jaccard_score(truth, said, labels=there, average=None))
        assert float(confusion.accuracy(matrix)) == pytest.approx((truth == said).mean())
        assert float(confusion.mean_of_present(overlap)) == pytest.approx(np.nanmean(overlap.numpy()))

    record("confusion, IoU and accuracies against scikit-learn", **figures)


def test_running_loss_and_accuracy() -> None:
    @examples(scored(), st.lists(LOSS, min_size=5, max_size=5))
    def figures(case: Scored, losses: list[float]) -> str:
        totals = Totals()
        for loss, batch in zip(losses, case.split(), strict=False):
            totals.update(torch.tensor(loss), *batch)
        found = totals.compute()
        with np.errstate(invalid="ignore"):
            loss = np.average(losses[: len(case.batches)], weights=case.batches)
        assert float(found["loss"]) == pytest.approx(loss, rel=1e-9, nan_ok=True)
        said = case.scores.double().numpy().argmax(1)
        assert float(found["accuracy"]) == pytest.approx((said == case.targets.numpy()).mean(), abs=1e-12)
        again = Totals()
        again.restore(totals.saved())
        assert float(again.compute()["loss"]) == pytest.approx(float(found["loss"]), abs=0, nan_ok=True)
        return "finite" if np.isfinite(loss) else "infinite or undefined"

    record("running loss and accuracy against NumPy", **figures)


def calibration_error(confidence: Array, right: Array, bins: int) -> float:
    """By the definition: the bins are (0, 1/B], (1/B, 2/B] and so on, and 0 is in the first."""
    edges = np.arange(1, bins) / bins
    index = np.searchsorted(edges, confidence, side="left")
    gaps = [abs((confidence[index == i] - right[index == i]).sum()) for i in range(bins)]
    return float(sum(gaps) / len(confidence))


def test_calibration() -> None:
    @examples(scored(sane=True), st.integers(1, 30))
    def figures(case: Scored, bins: int) -> str:
        confidence, said = case.scores.float().softmax(1).max(1)
        right = said == case.targets
        parts = zip(confidence.split(case.batches), right.split(case.batches), strict=True)
        counts = torch.stack([reliability_counts(*part, bins) for part in parts]).sum(0)
        whole = reliability_counts(confidence, right, bins)
        torch.testing.assert_close(counts, whole, rtol=1e-12, atol=0)
        assert torch.equal(counts[0], whole[0])
        assert counts[0].sum() == right.numel()
        assert counts[2].sum() == right.sum()
        assert (counts[2] <= counts[0]).all()
        error = expected_calibration_error(counts)
        assert 0 <= error <= 1
        place = confidence.flatten().double().numpy() * bins
        near = np.abs(place - place.round()) < 1e-4
        if (near & (place < bins - 0.5)).any():
            return "with a confidence on the edge of a bin"
        expected = calibration_error(place / bins, right.flatten().numpy(), bins)
        assert error == pytest.approx(expected, abs=1e-12)
        if near.any():
            return "by the definition, for torchmetrics has a bin apart for 1"
        probabilities = case.scores.float().softmax(1)
        theirs = multiclass_calibration_error(probabilities, case.targets, case.classes, n_bins=bins)
        assert error == pytest.approx(float(theirs), abs=1e-5)
        return "as torchmetrics has it"

    record("calibration error against torchmetrics", **figures)


HISTOGRAM = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20)


def test_precision_recall_path() -> None:
    @examples(HISTOGRAM, st.integers(1, 40), quick=150, full=2000)
    def figures(rows: list[tuple[int, int]], thresholds: int) -> str:
        histogram = np.array(rows).T
        ranks = np.concatenate([np.repeat(np.arange(len(rows)), counts) for counts in histogram])
        truth = np.repeat([False, True], histogram.sum(1))
        own_recall, own_precision = precision_recall_path(histogram)
        if not truth.any():
            assert np.isnan(own_recall).all()
            assert np.isnan(own_precision).all()
        else:
            precision, recall, _ = precision_recall_curve(truth, ranks)
            np.testing.assert_allclose(own_recall, recall[::-1])
            np.testing.assert_allclose(own_precision[1:], precision[::-1][1:])
        drawn = at_thresholds(histogram, thresholds)
        assert all(column.shape == (thresholds,) for column in drawn)
        true, false, not_false, not_true, precision, recall = drawn
        held = np.unique(ranks)
        if not held.size:
            assert not np.any(drawn[:4])
            assert np.isnan(drawn[4:]).all()
            return "empty"
        at = held[np.linspace(0, len(held) - 1, thresholds).astype(int)]
        above = ranks[None, :] >= at[:, None]
        expected = [above & truth, above & ~truth, ~above & ~truth, ~above & truth]
        for counts, mask in zip((true, false, not_false, not_true), expected, strict=True):
            assert counts.tolist() == mask.sum(1).tolist()
        np.testing.assert_allclose(precision, true / above.sum(1))
        np.testing.assert_allclose(recall, true / truth.sum() if truth.any() else np.full(thresholds, np.nan))
        return "of a class that is there" if truth.any() else "of an absent class"

    record("precision and recall against scikit-learn", **figures)
