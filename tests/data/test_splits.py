"""Splits cover everything once, repeat by seed, and keep groups together."""

from collections.abc import Callable

import numpy as np
import pytest

from fashseg.data.facade import buildings
from fashseg.data.splits import IntArray, class_split, group_split, published_split, random_split
from fashseg.errors import UserError

Split = tuple[IntArray, IntArray]

# From a first run: old results must stay comparable, on any platform and with any NumPy.
RANDOM_20 = [2, 3, 11, 13, 15]
GROUPS_20 = ["g0", "g12", "g15", "g17"]


def check(split: Split, n: int) -> None:
    train, val = split
    assert train.dtype == val.dtype == np.int64
    assert (np.diff(train) > 0).all()
    assert (np.diff(val) > 0).all()
    assert sorted([*train, *val]) == list(range(n))
    assert len(train) > 0
    assert len(val) > 0


@pytest.mark.parametrize("n", [2, 3, 10, 907])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.74])
@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_random_split_covers_all_in_the_asked_proportion(n: int, share: float, seed: int) -> None:
    split = random_split(n, share, seed)
    check(split, n)
    assert len(split[1]) == round(n * share)


def test_random_split_never_changes() -> None:
    assert random_split(20, 0.25, seed=0)[1].tolist() == RANDOM_20
    assert random_split(20, 0.25, seed=1)[1].tolist() != RANDOM_20


def test_random_split_draws_from_everywhere() -> None:
    counts = np.zeros(50)
    for seed in range(200):
        counts[random_split(50, 0.2, seed)[1]] += 1
    assert counts.min() > 15  # 40 expected, standard deviation 5.7
    assert counts.max() < 65


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.05, 0.15, 0.4, 0.8])
def test_class_split_draws_of_each_class_its_share(seed: int, share: float) -> None:
    labels = np.random.default_rng(seed).permutation(["a"] * 120 + ["b"] * 60 + ["c"] * 20)
    train, val = class_split(labels.tolist(), share, seed)
    check((train, val), 200)
    assert len(val) == round(200 * share)
    for name, size in (("a", 120), ("b", 60), ("c", 20)):
        assert abs((labels[val] == name).sum() - size * share) <= 1


def test_class_split_leaves_images_of_each_of_many_small_classes() -> None:
    labels = [f"class {i % 100}" for i in range(300)]
    for seed in range(20):
        train, val = class_split(labels, 0.15, seed)
        assert len(val) == 45
        assert {labels[i] for i in train} == set(labels)
    assert class_split(labels, 0.15, 0)[1].tolist() != class_split(labels, 0.15, 1)[1].tolist()


def test_class_split_draws_from_everywhere() -> None:
    counts = np.zeros(50)
    for seed in range(200):
        counts[class_split(["a", "b"] * 20 + ["b"] * 10, 0.2, seed)[1]] += 1
    assert counts.min() > 15  # 40 expected, standard deviation 5.7
    assert counts.max() < 65


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_group_split_keeps_groups_together_and_hits_the_size(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    groups = [f"g{i}" for i in rng.integers(0, 60, 200)]
    train, val = group_split(groups, share, seed)
    check((train, val), 200)
    assert not {groups[i] for i in train} & {groups[i] for i in val}
    assert abs(len(val) - 200 * share) <= 1


def test_group_split_follows_the_seed_not_the_order_of_images() -> None:
    groups = [f"g{i // 3}" for i in range(60)]
    first = {groups[i] for i in group_split(groups, 0.2, seed=3)[1]}
    turned = groups[::-1]
    assert {turned[i] for i in group_split(turned, 0.2, seed=3)[1]} == first
    assert {groups[i] for i in group_split(groups, 0.2, seed=4)[1]} != first
    assert sorted(first) == GROUPS_20


@pytest.mark.parametrize(
    ("sizes", "share", "expected"),
    [
        ((50, 50), 0.1, {50}),  # nothing fits: the smallest is better than none
        ((50, 50), 0.9, {50}),  # all would leave nothing to train on
        ((90, 10), 0.1, {10}),
        ((90, 10), 0.9, {90, 10}),  # by the order drawn
        ((1, 1), 0.5, {1}),
        ((7, 7, 7), 0.6, {14}),
        ((7, 7, 7), 0.4, {7}),
    ],
)
def test_group_split_of_few_groups_fills_both_sides(sizes: tuple[int, ...], share: float, expected: set[int]) -> None:
    groups = [f"g{i}" for i, size in enumerate(sizes) for _ in range(size)]
    for seed in range(10):
        split = group_split(groups, share, seed)
        check(split, sum(sizes))
        assert len(split[1]) in expected


@pytest.mark.parametrize("seed", range(5))
def test_group_split_of_the_facades_does_not_leak(seed: int) -> None:
    shown = buildings("train")
    train, val = group_split(shown, 0.12, seed)
    assert len(val) == 108  # three images of each building; 108.7 asked for
    assert not {shown[i] for i in train} & {shown[i] for i in val}


def test_published_split_of_the_facades_leaks_as_measured() -> None:
    train, val = published_split(906)
    assert train.tolist() == list(range(800))
    assert val.tolist() == list(range(800, 906))
    shown = buildings("train")
    assert {shown[i] for i in val} <= {shown[i] for i in train}


@pytest.mark.parametrize("n", [0, 6, 800])
def test_published_split_needs_more_images(n: int) -> None:
    with pytest.raises(UserError, match=r"data\.split=published.* 800 .*"):
        published_split(n)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, 10, float("nan"), 0.001, 0.999])
@pytest.mark.parametrize(
    "split",
    [
        lambda share: random_split(10, share, 0),
        lambda share: class_split(list("aabbccddee"), share, 0),
        lambda share: group_split(list("aabbccddee"), share, 0),
    ],
    ids=["random", "class", "group"],
)
def test_impossible_share_is_refused_by_name(split: Callable[[float], Split], share: float) -> None:
    with pytest.raises(UserError, match=r"data\.val_share"):
        split(share)


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_images_are_refused(n: int) -> None:
    with pytest.raises(UserError, match=r"data\.val_share"):
        random_split(n, 0.5, 0)
    with pytest.raises(UserError, match=r"data\.val_share"):
        group_split(["a"] * n, 0.5, 0)


def test_single_group_is_refused() -> None:
    with pytest.raises(UserError, match=r"data\.val_share.*one single group \(a\)"):
        group_split(["a"] * 9, 0.5, 0)


def test_negative_seed_is_refused() -> None:
    with pytest.raises(UserError, match=r"data\.split_seed is -1"):
        random_split(10, 0.5, -1)
