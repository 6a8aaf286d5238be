"""Curves against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve

from fashseg.metrics.precision_recall import at_thresholds, precision_recall_path


def scores() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores that are whole bins, whether each is positive, and their histogram."""
    random = np.random.default_rng(0)
    truth = random.random(2000) < 0.3
    ranks = np.clip(random.normal(20 + 10 * truth, 8), 0, 63).astype(int)
    histogram = np.stack([np.bincount(ranks[truth == side], minlength=64) for side in (False, True)])
    return ranks, truth, histogram


def test_the_path_is_that_of_scikit_learn() -> None:
    ranks, truth, histogram = scores()
    precision, recall, _ = precision_recall_curve(truth, ranks)
    own_recall, own_precision = precision_recall_path(histogram)
    np.testing.assert_allclose(own_recall, recall[::-1])
    np.testing.assert_allclose(own_precision[1:], precision[::-1][1:])  # at recall 0 scikit-learn sets 1
    area = float((np.diff(own_recall) * own_precision[1:]).sum())
    assert area == pytest.approx(average_precision_score(truth, ranks))


def test_a_class_that_is_absent_has_no_curve() -> None:
    recall, precision = precision_recall_path(np.array([[3, 4], [0, 0]]))
    assert np.isnan(recall).all()
    assert np.isnan(precision).all()


def test_thresholds_of_a_class_that_is_absent_and_of_nothing() -> None:
    true, false, not_false, not_true, precision, recall = at_thresholds(np.array([[3, 4], [0, 0]]), 2)
    assert [*true, *not_true, *precision] == [0] * 6
    assert [*false, *not_false] == [7, 4, 0, 3]
    assert np.isnan(recall).all()
    *counts, precision, recall = at_thresholds(np.zeros((2, 5), dtype=int), 3)
    assert not np.any(counts)
    assert np.isnan([precision, recall]).all()


def test_thresholds_count_what_lies_above_them() -> None:
    ranks, truth, histogram = scores()
    thresholds = 17
    true, false, not_false, not_true, precision, recall = at_thresholds(histogram, thresholds)
    held = np.unique(ranks)
    for place, rank in enumerate(held[np.linspace(0, len(held) - 1, thresholds).astype(int)]):
        above = ranks >= rank
        assert true[place] == (above & truth).sum()
        assert false[place] == (above & ~truth).sum()
        assert not_false[place] == (~above & ~truth).sum()
        assert not_true[place] == (~above & truth).sum()
    np.testing.assert_allclose(precision, true / (true + false))
    np.testing.assert_allclose(recall, true / truth.sum())
    assert recall[0] == 1
