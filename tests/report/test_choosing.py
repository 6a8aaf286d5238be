"""Which images a page shows."""

import numpy as np

from fashseg.report.choosing import SAMPLES, choose_extremes, choose_samples, most_confused, union


def some(images: int = 600, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.full(classes, 0.5), images)
    return probabilities, random.integers(classes, size=images)


def test_right_and_wrong_images_are_what_they_are_called() -> None:
    probabilities, targets = some()
    predicted = probabilities.argmax(1)
    chosen = choose_samples(probabilities, probabilities.argmax(1), targets)
    for label in range(4):
        for kind in ("hardest", "random"):
            right, wrong = chosen[f"{label}/right/{kind}"], chosen[f"{label}/wrong/{kind}"]
            assert len(right) == len(wrong) == SAMPLES
            assert (targets[right] == label).all()
            assert (predicted[right] == label).all()
            assert (targets[wrong] == label).all()
            assert (predicted[wrong] != label).all()


def test_hardest_come_first() -> None:
    probabilities, targets = some()
    wrong = choose_samples(probabilities, probabilities.argmax(1), targets)["1/wrong/hardest"]
    lost = probabilities[wrong, 1] - probabilities[wrong].max(1)
    assert (np.diff(lost) >= 0).all()
    others = np.flatnonzero((targets == 1) & (probabilities.argmax(1) != 1))
    assert lost[0] == (probabilities[others, 1] - probabilities[others].max(1)).min()


def test_random_ones_are_others_than_the_hardest_and_the_same_each_time() -> None:
    probabilities, targets = some()
    first, second = (choose_samples(probabilities, probabilities.argmax(1), targets) for _ in range(2))
    assert set(first["0/wrong/random"]).isdisjoint(first["0/wrong/hardest"])
    assert all((first[key] == second[key]).all() for key in first)


def test_a_class_without_mistakes_or_without_images_shows_none() -> None:
    probabilities = np.eye(3)[[0, 0, 1, 1]]
    chosen = choose_samples(probabilities, probabilities.argmax(1), np.array([0, 0, 1, 1]))
    assert len(chosen["0/wrong/hardest"]) == 0
    assert len(chosen["0/right/hardest"]) == 2
    assert len(chosen["2/right/hardest"]) == len(chosen["2/wrong/random"]) == 0
    assert not [key for key in chosen if key.startswith("pair/")]


def test_confused_pairs_go_by_the_share_of_the_truth() -> None:
    confusion = np.array([[900, 100, 0], [1, 5, 4], [0, 0, 10]])
    assert most_confused(confusion) == [(1, 2), (0, 1), (1, 0)]


def test_best_worst_and_random_images_are_different_ones() -> None:
    scores = np.random.default_rng(0).random(50)
    chosen = choose_extremes(scores)
    assert scores[chosen["best"][0]] == scores.max()
    assert scores[chosen["worst"][0]] == scores.min()
    assert len(union(chosen)) == 9


def test_few_images_are_shown_once_each() -> None:
    for images in range(1, 8):
        chosen = choose_extremes(np.arange(images, dtype=float))
        assert sorted(int(i) for indices in chosen.values() for i in indices) == list(range(min(images, 9)))
