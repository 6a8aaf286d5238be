"""The bootstrap over images of labels and counts that nobody thought of, against scikit-learn and a plain loop."""

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from scored import examples
from sklearn.metrics import recall_score

from amounts import record
from fashseg.metrics import bootstrap

Array = npt.NDArray[Any]
SEEDS = st.integers(0, 2**31)


def drawn(images: int, resamples: int, seed: int) -> list[Array]:
    """The images of each resample, as the generator that the module names gives them."""
    return list(np.random.default_rng(seed).integers(0, images, (resamples, images)))


def holds(scores: bootstrap.Resampled, level: float) -> bootstrap.Interval:
    """The interval, once it is known to be one of the resamples that count."""
    found, wider = bootstrap.interval(scores, level), bootstrap.interval(scores, (1 + level) / 2)
    for place, column in enumerate(scores.samples.T):
        some = column[~np.isnan(column)]
        assert np.isnan(found.low[place]) == np.isnan(found.high[place]) == (not some.size)
        if some.size:
            assert 0 <= some.min() <= wider.low[place] <= found.low[place] <= found.high[place]
            assert found.high[place] <= wider.high[place] <= some.max() <= 1 + 1e-12
    none = bootstrap.difference(scores, scores, level)
    assert not np.nan_to_num([*none.estimate, *none.low, *none.high]).any()
    return found


LEVELS = st.floats(0.5, 0.99)


def test_bootstrap_of_accuracy() -> None:
    @examples(st.integers(1, 40), st.integers(1, 6), st.floats(0, 1), LEVELS, SEEDS)
    def figures(images: int, classes: int, skill: float, level: float, seed: int) -> str:
        random = np.random.default_rng(seed)
        targets, guesses = random.integers(0, classes, (2, images))
        said = np.where(random.random(images) < skill, targets, guesses)
        scores = bootstrap.accuracy(targets, said, classes, 200, seed)
        labels = list(range(classes))
        for row, places in zip(scores.samples[:5], drawn(images, 200, seed), strict=False):
            truth, right = targets[places], (targets == said)[places]
            recall = recall_score(truth, said[places], labels=labels, average=None, zero_division=np.nan)
            np.testing.assert_allclose(row, [*recall, right.mean()])
        found = holds(scores, max(level, 0.9))
        there = ~np.isnan(found.estimate)
        assert np.flatnonzero(there[:-1]).tolist() == np.unique(targets).tolist()
        assert (found.low[there] <= found.estimate[there]).all()
        assert (found.estimate[there] <= found.high[there]).all()
        for place in np.flatnonzero(there & np.isin(found.estimate, [0, 1])):
            assert found.low[place] == found.high[place] == found.estimate[place]
        other = bootstrap.accuracy(targets, guesses, classes, 200, seed)
        ahead, behind = bootstrap.difference(scores, other), bootstrap.difference(other, scores)
        np.testing.assert_allclose(ahead.low, -behind.high, atol=1e-12)
        return "with one image" if images == 1 else ""

    record("bootstrap of accuracy against scikit-learn", **figures)


def midpoint_precision(histogram: Array) -> float:
    """(2, B), one bin after the other."""
    hits = seen = area = 0.0
    for negatives, positives in histogram.T[::-1].astype(float):
        if positives:
            area += positives * (hits + positives / 2) / (seen + (positives + negatives) / 2)
        hits, seen = hits + positives, seen + positives + negatives
    return area / hits if hits else np.nan


def test_bootstrap_of_average_precision() -> None:
    sizes = st.tuples(st.integers(1, 5), st.integers(2, 8), st.integers(2, 30))

    @examples(sizes, st.sampled_from([0.02, 0.2, 1.0]), st.booleans(), LEVELS, SEEDS)
    def figures(size: tuple[int, int, int], share: float, same: bool, level: float, seed: int) -> str:
        images, classes, bins = size
        random = np.random.default_rng(seed)
        counted = random.integers(1, 50, (images, classes, 2, bins)) * (
            random.random((images, classes, 2, bins)) < share
        )
        counted[..., 0] = 0
        if same:
            counted[:] = counted[0]
        scores = bootstrap.average_precision(counted, 100, seed)
        rows = zip(scores.samples[:5], drawn(images, 100, seed), strict=False)
        for row, places in [(scores.estimate, np.arange(images)), *rows]:
            expected = np.array([midpoint_precision(histogram) for histogram in counted[places].sum(0)])
            there = expected[~np.isnan(expected)]
            np.testing.assert_allclose(row, [*expected, there.mean() if there.size else np.nan])
        found = holds(scores, level)
        if same or images == 1:
            np.testing.assert_allclose(found.low, found.estimate, rtol=1e-12)
            np.testing.assert_allclose(found.high, found.estimate, rtol=1e-12)
            return "with equal images"
        return ""

    record("bootstrap of average precision against a plain loop", **figures)
