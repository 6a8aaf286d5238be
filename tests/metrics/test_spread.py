"""Intervals over folds and seeds: as SciPy has them, and as often right as they say."""

import math

import numpy as np
import pytest
from scipy import stats

from fashseg.metrics.spread import corrected, over, over_both
from fashseg.metrics.student_t import cdf, quantile

SCORES = [0.91, 0.93, 0.905, 0.92, 0.915]


@pytest.mark.parametrize("df", [1, 1.5, 2, 4, 4.7, 9, 30, 1e4])
def test_students_t_is_that_of_scipy(df: float) -> None:
    for t in (-50, -3, -1, -1e-3, 0, 0.2, 1, 7, 100):
        assert cdf(t, df) == pytest.approx(stats.t.cdf(t, df), abs=1e-10)
    for p in (0.001, 0.3, 0.5, 0.9, 0.975, 0.9995):
        assert quantile(p, df) == pytest.approx(stats.t.ppf(p, df), rel=1e-9, abs=1e-12)


def test_an_interval_over_numbers_is_that_of_scipy() -> None:
    found = over(SCORES)
    assert found is not None
    assert found.mean == pytest.approx(np.mean(SCORES))
    assert found.deviation == pytest.approx(np.std(SCORES, ddof=1))
    assert (found.low, found.high) == pytest.approx(
        stats.t.interval(0.95, len(SCORES) - 1, np.mean(SCORES), stats.sem(SCORES))
    )


def test_the_corrected_test_is_the_plain_one_without_its_correction() -> None:
    differences = [0.01, 0.014, 0.002, -0.001, 0.009]
    plain = corrected(differences, 0)
    known = stats.ttest_1samp(differences, 0)
    assert plain is not None
    assert plain.p == pytest.approx(known.pvalue)
    assert (plain.low, plain.high) == pytest.approx(known.confidence_interval(0.95))
    mended = corrected(differences, 1 / 4)
    assert mended is not None
    # Nadeau and Bengio, equation 9: for five folds the error is 1.5 times as large.
    assert mended.high - mended.mean == pytest.approx(1.5 * (plain.high - plain.mean))
    t = np.mean(differences) / (np.std(differences, ddof=1) * math.sqrt(1 / 5 + 1 / 4))
    assert mended.p == pytest.approx(2 * stats.t.sf(t, 4))
    assert mended.df == 4


def test_of_both_the_interval_holds_the_mean_as_often_as_it_says() -> None:
    """Where folds and seeds matter, one over folds alone is too narrow, and far too narrow is one over all runs."""
    random = np.random.default_rng(0)
    held = np.zeros(3)
    for _ in range(400):
        shape = (5, 3)
        scores = random.normal(0, 1, (5, 1)) + random.normal(0, 0.7, (1, 3)) + random.normal(0, 0.5, shape)
        for place, found in enumerate(
            (over_both(scores), over(scores.mean(1).tolist()), over(scores.ravel().tolist()))
        ):
            assert found is not None
            held[place] += found.low <= 0 <= found.high
    assert 0.93 < held[0] / 400 < 0.99
    assert held[1] / 400 < 0.92
    assert held[2] / 400 < 0.8


def test_where_seeds_do_not_matter_both_are_the_folds() -> None:
    scores = np.array(SCORES)[:, None].repeat(3, 1)
    both, folds = over_both(scores), over(SCORES)
    assert both is not None
    assert folds is not None
    assert (both.low, both.high) == pytest.approx((folds.low, folds.high))
    turned = over_both(scores.T)
    assert turned is not None
    assert (turned.low, turned.high) == pytest.approx((folds.low, folds.high))


def test_what_has_no_interval_has_none() -> None:
    assert over([0.9]) is None
    assert over([0.9, math.nan]) is None
    assert corrected([0.1], 0.25) is None
    assert corrected([0.1, math.nan], 0.25) is None
    assert over_both(np.ones((1, 3))) is None
    assert over_both(np.array([[0.1, math.nan], [0.2, 0.3]])) is None


def test_equal_numbers_have_an_interval_of_no_width() -> None:
    found = over([0.5, 0.5, 0.5])
    assert found is not None
    assert (found.low, found.deviation, found.high) == (0.5, 0, 0.5)
    both = over_both(np.full((3, 2), 0.5))
    assert both is not None
    assert (both.low, both.high) == (0.5, 0.5)
    none, some = corrected([0.0, 0.0], 0.25), corrected([0.25, 0.25], 0.25)
    assert none is not None
    assert some is not None
    assert (none.p, some.p, some.low) == (1, 0, 0.25)
