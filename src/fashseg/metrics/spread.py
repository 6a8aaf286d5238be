"""Mean, standard deviation and 95% intervals of scores over seeds and folds: pure functions of a few numbers.

Sources: Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003; Satterthwaite, "An
Approximate Distribution of Estimates of Variance Components", Biometrics Bulletin 2, 1946.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fashseg.metrics.student_t import cdf, quantile

LEVEL = 0.95


@dataclass(frozen=True)
class Spread:
    """Scores in short.

    Attributes:
        mean: of all.
        deviation: sample standard deviation.
        low: lower end of the 95% interval of the mean.
        high: upper end.
    """

    mean: float
    deviation: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """How far two settings differ.

    Attributes:
        mean: of the differences.
        low: lower end of its 95% interval.
        high: upper end.
        p: probability of a difference as large by chance alone, both signs counted.
        df: degrees of freedom.
    """

    mean: float
    low: float
    high: float
    p: float
    df: int


def over(scores: Sequence[float]) -> Spread | None:
    """The t interval of numbers that were drawn independently; None of fewer than two, or of what is undefined."""
    if len(scores) < 2 or any(map(math.isnan, scores)):
        return None
    deviation = statistics.stdev(scores)
    return _spread(statistics.fmean(scores), deviation, deviation / math.sqrt(len(scores)), len(scores) - 1)


def over_both(scores: npt.NDArray[np.float64]) -> Spread | None:
    """The interval of the mean of a table in which folds and seeds are crossed, where both are chance.

    With F folds and S seeds the variance of the mean is estimated by (MSF + MSS − MSE) / (F·S), from the mean squares
    of folds, seeds and what is left, with Satterthwaite's degrees of freedom. Where the seeds do not matter, it is the
    interval over the means of folds, and the other way round.

    Args:
        scores: (F, S), at least 2×2.

    Returns:
        None where a score is undefined, or a side is below 2.
    """
    folds, seeds = scores.shape
    if min(folds, seeds) < 2 or np.isnan(scores).any():
        return None
    by_fold, by_seed, mean = scores.mean(1), scores.mean(0), float(scores.mean())
    left = scores - by_fold[:, None] - by_seed[None] + mean
    squares = {
        "fold": (seeds * float(by_fold.var(ddof=1)), folds - 1),
        "seed": (folds * float(by_seed.var(ddof=1)), seeds - 1),
        "left": (float((left**2).sum()) / ((folds - 1) * (seeds - 1)), (folds - 1) * (seeds - 1)),
    }
    total = squares["fold"][0] + squares["seed"][0] - squares["left"][0]
    largest = max(squares["fold"], squares["seed"])
    if total <= largest[0]:  # the other side explains less than chance would
        variance, df = largest
    else:
        variance, df = total, total**2 / sum(square**2 / count for square, count in squares.values())
    return _spread(mean, float(scores.std(ddof=1)), math.sqrt(variance / scores.size), df)


def corrected(differences: Sequence[float], ratio: float) -> Difference | None:
    """The corrected resampled t test of differences, one for each fold.

    Training sets of folds overlap, so the differences depend on each other, and the plain t test finds differences that
    are none. Its variance of the mean, s²/k, becomes s²·(1/k + ratio).

    Args:
        differences: of the score of two settings, for each fold.
        ratio: images that validate by images that train, 1/(k−1) for k folds.

    Returns:
        None of fewer than two, or of what is undefined.
    """
    if len(differences) < 2 or any(map(math.isnan, differences)):
        return None
    mean, df = statistics.fmean(differences), len(differences) - 1
    error = statistics.stdev(differences) * math.sqrt(1 / len(differences) + ratio)
    if error == 0:
        return Difference(mean, mean, mean, float(mean == 0), df)
    reach = quantile((1 + LEVEL) / 2, df) * error
    return Difference(mean, mean - reach, mean + reach, 2 * cdf(-abs(mean / error), df), df)


def _spread(mean: float, deviation: float, error: float, df: float) -> Spread:
    reach = quantile((1 + LEVEL) / 2, df) * error if error else 0.0
    return Spread(mean, deviation, mean - reach, mean + reach)
