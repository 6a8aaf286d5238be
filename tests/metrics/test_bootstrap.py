"""The bootstrap over images: against a slow loop over the same resamples, and what its intervals hold."""

import subprocess
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sklearn.metrics import accuracy_score, recall_score

from fashseg.metrics import bootstrap
from fashseg.metrics.average_precision import average_precision_from_histogram, score_histogram
from fashseg.metrics.bootstrap import Resampled


def labels(images: int, skill: float, seed: int = 0, classes: int = 3) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    targets = np.random.default_rng(7).integers(0, classes, images)
    random = np.random.default_rng(seed)
    return targets, np.where(random.random(images) < skill, targets, random.integers(0, classes, images))


def histograms(images: int = 12, classes: int = 3, shift: float = 1.0, seed: int = 0) -> npt.NDArray[np.int32]:
    """Of logits that tell something about the pixels of images that differ in how hard they are."""
    generator = torch.Generator().manual_seed(seed)
    counted = []
    for _ in range(images):
        targets = (torch.rand(1, 40, 40, generator=generator) ** 2 * classes).long()
        ease = shift * torch.rand(1, generator=generator)
        logits = torch.randn(1, classes, 40, 40, generator=generator) * 3
        logits += 3 * ease * torch.nn.functional.one_hot(targets, classes).movedim(-1, 1)
        counted.append(score_histogram(logits, targets, classes, 1024).to(torch.int32).numpy())
    return np.stack(counted)


def drawn(images: int, resamples: int, seed: int) -> list[npt.NDArray[np.int64]]:
    """The images of each resample, one by one."""
    counts = np.concatenate(list(bootstrap._resample(images, resamples, seed))).astype(int)
    assert counts.shape == (resamples, images)
    assert (counts.sum(1) == images).all()
    return [np.repeat(np.arange(images), row) for row in counts]


def test_accuracy_agrees_with_a_slow_loop() -> None:
    targets, predictions = labels(40, 0.7)
    found = bootstrap.accuracy(targets, predictions, 3, resamples=50, seed=3)
    for row, places in zip(found.samples, drawn(40, 50, 3), strict=True):
        truth, said = targets[places], predictions[places]
        expected = [*recall_score(truth, said, labels=[0, 1, 2], average=None), accuracy_score(truth, said)]
        np.testing.assert_allclose(row, expected)
    np.testing.assert_allclose(found.estimate[-1], accuracy_score(targets, predictions))


def slow_average_precision(histogram: npt.NDArray[Any]) -> float:
    negatives, positives = histogram[:, ::-1].astype(float)
    hits = seen = area = 0.0
    for n, p in zip(negatives, positives, strict=True):
        if p:
            area += p * (hits + p / 2) / (seen + (p + n) / 2)
        hits, seen = hits + p, seen + p + n
    return area / hits if hits else np.nan


def test_average_precision_agrees_with_a_slow_loop() -> None:
    counted = histograms()
    found = bootstrap.average_precision(counted, resamples=5, seed=1)
    for row, places in zip(found.samples, drawn(12, 5, 1), strict=True):
        expected = [slow_average_precision(histogram) for histogram in counted[places].sum(0)]
        np.testing.assert_allclose(row, [*expected, np.mean(expected)])


def test_average_precision_is_that_of_the_metric() -> None:
    counted = histograms()
    exact = average_precision_from_histogram(torch.from_numpy(counted).long().sum(0)).numpy()
    np.testing.assert_allclose(bootstrap.average_precision(counted, resamples=1).estimate[:-1], exact, atol=1e-3)


def test_a_class_that_is_absent_is_nan_and_not_in_the_mean() -> None:
    counted = histograms()
    counted[:, 1, 0] += counted[:, 1, 1]
    counted[:, 1, 1] = 0
    found = bootstrap.interval(bootstrap.average_precision(counted, resamples=20))
    assert np.isnan([found.estimate[1], found.low[1], found.high[1]]).all()
    np.testing.assert_allclose(found.estimate[-1], found.estimate[[0, 2]].mean())
    assert not found.beyond_noise(1)


def test_resamples_without_a_class_do_not_count_for_it() -> None:
    targets = np.array([0] * 30 + [1])
    found = bootstrap.interval(bootstrap.accuracy(targets, targets, 2))
    assert found.low[1] == found.high[1] == found.estimate[1] == 1


def test_identical_runs_do_not_differ() -> None:
    for scores in (bootstrap.accuracy(*labels(50, 0.6), 3), bootstrap.average_precision(histograms(), 100)):
        for values in bootstrap.difference(scores, scores):
            assert (values == 0).all()


def test_a_difference_the_other_way_has_the_other_sign() -> None:
    a, b = (bootstrap.accuracy(*labels(80, skill, seed), 3) for skill, seed in ((0.8, 1), (0.6, 2)))
    there, back = bootstrap.difference(a, b), bootstrap.difference(b, a)
    np.testing.assert_allclose(there.estimate, -back.estimate)
    np.testing.assert_allclose(there.low, -back.high, atol=1e-12)
    np.testing.assert_allclose(there.high, -back.low, atol=1e-12)
    assert (there.low <= there.estimate).all()
    assert (there.estimate <= there.high).all()


def test_pairing_takes_out_what_both_find_hard() -> None:
    """Two segmenters that differ a little on images of very unequal difficulty."""
    a = bootstrap.average_precision(histograms(40, shift=1.0), 500)
    b = bootstrap.average_precision(histograms(40, shift=1.05), 500)
    paired = bootstrap.difference(b, a)
    alone = bootstrap.interval(a)
    assert paired.high[-1] - paired.low[-1] < 0.3 * (alone.high[-1] - alone.low[-1])
    assert paired.beyond_noise(-1)


def test_intervals_hold_the_true_difference_as_often_as_they_say() -> None:
    """One model is right on 80% of images, the other on 74%; the two share most of their mistakes."""
    random = np.random.default_rng(0)
    held = alone = 0
    rounds, images = 300, 400
    for _ in range(rounds):
        luck = random.random(images)
        targets = random.integers(0, 2, images)
        first, second = (np.where(luck < skill, targets, 1 - targets) for skill in (0.80, 0.74))
        a, b = (bootstrap.accuracy(targets, said, 2, resamples=400) for said in (first, second))
        difference, single = bootstrap.difference(a, b), bootstrap.interval(a)
        held += difference.low[-1] <= 0.06 <= difference.high[-1]
        alone += single.low[-1] <= 0.80 <= single.high[-1]
    assert 0.90 < held / rounds < 0.99
    assert 0.90 < alone / rounds < 0.99


def test_the_mean_of_models_is_taken_on_the_same_resamples() -> None:
    models = [bootstrap.accuracy(*labels(60, 0.7, seed), 3, resamples=100) for seed in (1, 2, 3)]
    mean = bootstrap.mean(models)
    np.testing.assert_allclose(mean.samples, sum(model.samples for model in models) / 3)
    np.testing.assert_allclose(mean.estimate, sum(model.estimate for model in models) / 3)


def test_the_same_seed_gives_the_same_interval_and_another_a_similar_one() -> None:
    data = labels(200, 0.7)
    first, again, other = (bootstrap.interval(bootstrap.accuracy(*data, 3, seed=seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.low, again.low)
    assert (first.low != other.low).any()
    np.testing.assert_allclose(first.low, other.low, atol=0.03)


def test_what_can_not_be_paired_or_scored_is_refused() -> None:
    targets, predictions = labels(30, 0.7)
    scores = bootstrap.accuracy(targets, predictions, 3)
    with pytest.raises(ValueError, match="can't be paired"):
        bootstrap.difference(scores, bootstrap.accuracy(targets[1:], predictions[1:], 3))
    with pytest.raises(ValueError, match="same images"):
        bootstrap.mean([scores, Resampled(scores.estimate, scores.samples, 31)])
    with pytest.raises(ValueError, match="same images"):
        bootstrap.mean([])
    with pytest.raises(ValueError, match="0 to 1"):
        bootstrap.accuracy(targets, predictions, 2)
    with pytest.raises(ValueError, match="at least one image"):
        bootstrap.accuracy(targets[:0], predictions[:0], 3)
    counted = histograms(3)
    with pytest.raises(ValueError, match="N, C, 2, B"):
        bootstrap.average_precision(counted[0])
    counted[0, 0, 0, 0] = 1
    with pytest.raises(ValueError, match="nan"):
        bootstrap.average_precision(counted)


def test_a_thousand_resamples_take_seconds_and_little_memory() -> None:
    """Processor time of full size: 114 images of 5 classes, and 10,000 of 10 classes."""
    code = """
import resource, numpy as np
from fashseg.metrics import bootstrap
counted = np.random.default_rng(0).integers(0, 60, (114, 5, 2, 1024), dtype=np.int32)
counted[..., 0] = 0
before = resource.getrusage(resource.RUSAGE_SELF)
bootstrap.average_precision(counted)
targets = np.random.default_rng(0).integers(0, 10, 10_000)
bootstrap.accuracy(targets, targets[::-1], 10)
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_utime - before.ru_utime, (after.ru_maxrss - before.ru_maxrss) / 1024)
"""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split())
    print(f"{seconds:.2f} s of processor time, {megabytes:.0f} MB, {time.perf_counter() - start:.1f} s with the start")
    assert seconds < 6, "both together; 3 s each"
    assert megabytes < 300
