"""Which images a page shows: the extremes, and random ones beside them so that nobody mistakes the extremes for all."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.floating]

SAMPLES = 5
PAIRS = 6
SEED = 0  # of the random ones: the same page from the same run

Samples = dict[str, IntArray]


def choose_samples(
    probabilities: FloatArray, predicted: npt.NDArray[np.integer], targets: npt.NDArray[np.integer]
) -> Samples:
    """Images of a classifier to show, by what they show.

    Args:
        probabilities: (N, C).
        predicted: (N,), the most probable class before probabilities were rounded.
        targets: (N,), 0 to C - 1.

    Returns:
        Indices under ``CLASS/wrong/hardest``, ``CLASS/wrong/random``, ``CLASS/right/hardest`` and
        ``CLASS/right/random`` with the class as a number, and under ``pair/TRUTH/PREDICTED`` for the pairs that are
        confused most. Hardest first: the wrong ones by how sure the network was, the right ones by how little it was.
    """
    picked: Samples = {}
    random = np.random.default_rng(SEED)
    for label in range(probabilities.shape[1]):
        own = targets == label
        for kind, chosen in (("wrong", own & (predicted != label)), ("right", own & (predicted == label))):
            indices = np.flatnonzero(chosen)
            # Wrong: surest of another class first. Right: least sure first.
            sure = probabilities[indices, predicted[indices]].astype(np.float64)
            hardest = indices[np.argsort(-sure if kind == "wrong" else sure, kind="stable")]
            picked[f"{label}/{kind}/hardest"] = hardest[:SAMPLES]
            # Not the same images twice, where there are others.
            others = hardest[SAMPLES:]
            picked[f"{label}/{kind}/random"] = random.permutation(others)[:SAMPLES]
    for truth, taken_for in most_confused(_confusion(targets, predicted, probabilities.shape[1])):
        indices = np.flatnonzero((targets == truth) & (predicted == taken_for))
        order = np.argsort(-probabilities[indices, taken_for].astype(float), kind="stable")
        picked[f"pair/{truth}/{taken_for}"] = indices[order][:SAMPLES]
    return picked


def most_confused(confusion: npt.NDArray[np.integer], pairs: int = PAIRS) -> list[tuple[int, int]]:
    """Pairs (truth, prediction) of a confusion matrix by the share of the truth that is taken for the other."""
    shares = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    np.fill_diagonal(shares, 0)
    order = np.argsort(-shares, axis=None, kind="stable")[:pairs]
    places = [divmod(int(i), shares.shape[1]) for i in order]
    return [place for place in places if shares[place] > 0]


def choose_extremes(scores: FloatArray, each: int = 3) -> Samples:
    """Indices of the ``best``, the ``worst`` and some ``random`` other images by a score (N,), higher is better."""
    order = np.argsort(-scores, kind="stable")
    order = order[~np.isnan(scores[order])]  # an image of which nothing counts has no score
    best, worst = order[:each], order[each:][::-1][:each]
    others = order[each : max(each, len(order) - each)]
    return {"best": best, "worst": worst, "random": np.random.default_rng(SEED).permutation(others)[:each]}


def union(samples: Mapping[str, Iterable[int]]) -> IntArray:
    """All chosen indices, ascending, each once."""
    return np.array(sorted({int(i) for indices in samples.values() for i in indices}), dtype=np.int64)


def _confusion(targets: npt.NDArray[np.integer], predicted: npt.NDArray[np.integer], classes: int) -> IntArray:
    cells = targets.astype(np.int64) * classes + predicted
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)
