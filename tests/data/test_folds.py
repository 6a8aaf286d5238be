"""Cross-validation: each image validates once, no group is on two sides, and seeds share the folds."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import TINY_CNN, Command, assert_two_lines, page_of, results_of
from data.own_folders import write_classes, write_masks
from data.own_options import classes, masks, refusal
from data.tiny import real_data, real_root
from fashseg import config as cfg
from fashseg.checking import check
from fashseg.composing import compose
from fashseg.data import cmp_facade
from fashseg.data.facade import buildings
from fashseg.data.folds import class_folds, group_folds, random_folds
from fashseg.data.source import Source, shared_groups, split_indices
from fashseg.data.sources import SOURCES, open_source
from fashseg.data.splits import IntArray
from fashseg.errors import UserError

# From a first run: a fold must mean the same in a later version, on any platform and with any NumPy.
RANDOM_12 = [2, 3, 2, 1, 0, 2, 1, 3, 0, 3, 1, 0]


def folds_of(source: Source, options: cfg.Data, images: int) -> list[IntArray]:
    """The validation images of each fold, after a look at what every cross-validation has to be."""
    held = []
    for fold in range(options.folds):
        train, val = split_indices(source, replace(options, fold=fold), images)
        assert sorted([*train, *val]) == list(range(images))
        assert len(train) > 0
        assert len(val) > 0
        held.append(val)
    assert sorted(np.concatenate(held).tolist()) == list(range(images)), "each validates exactly once"
    return held


@pytest.mark.parametrize("n", [2, 7, 60, 906])
@pytest.mark.parametrize("folds", [2, 5, 7])
def test_random_folds_are_even(n: int, folds: int) -> None:
    if n < folds:
        with pytest.raises(UserError, match=rf"data\.folds={folds}, but there are {n} images"):
            random_folds(n, folds, 0)
        return
    sizes = np.bincount(random_folds(n, folds, 0), minlength=folds)
    assert sizes.max() - sizes.min() <= 1
    assert sizes.sum() == n


def test_random_folds_follow_the_seed_and_never_change() -> None:
    assert random_folds(12, 4, 0).tolist() == RANDOM_12
    assert random_folds(12, 4, 1).tolist() != RANDOM_12


@settings(max_examples=60, deadline=None)
@given(labels=st.lists(st.sampled_from("aaabbc"), min_size=10, max_size=80), folds=st.integers(2, 10))
def test_class_folds_have_their_part_of_each_class(labels: list[str], folds: int) -> None:
    found = class_folds(labels, folds, 3)
    sizes = np.bincount(found, minlength=folds)
    assert sizes.max() - sizes.min() <= 1
    for name in set(labels):
        part = np.bincount(found[np.array(labels) == name], minlength=folds)
        assert part.max() - part.min() <= 1


@settings(max_examples=60, deadline=None)
@given(groups=st.lists(st.integers(0, 30), min_size=10, max_size=120), folds=st.integers(2, 6))
def test_group_folds_keep_groups_together_and_are_even(groups: list[int], folds: int) -> None:
    names = list(map(str, groups))
    if len(set(names)) < folds:
        with pytest.raises(UserError, match=rf"data\.folds={folds}, but there (is|are) {len(set(names))} group"):
            group_folds(names, folds, 0)
        return
    found = group_folds(names, folds, 0)
    assert len(set(zip(names, found.tolist(), strict=True))) == len(set(names)), "a group is in one fold"
    sizes = np.bincount(found, minlength=folds)
    assert sizes.min() > 0
    # The largest fold is larger than another by its last group at most, or the other would have got it.
    assert sizes.max() - sizes.min() <= max(Counter(names).values())


def test_group_folds_follow_the_groups_and_not_the_order_of_images() -> None:
    groups = [f"g{i // 3}" for i in range(60)]
    fold_of = dict(zip(groups, group_folds(groups, 5, 0).tolist(), strict=True))
    assert dict(zip(groups[::-1], group_folds(groups[::-1], 5, 0).tolist(), strict=True)) == fold_of
    assert dict(zip(groups, group_folds(groups, 5, 1).tolist(), strict=True)) != fold_of


def facade(**changed: object) -> cfg.Facade:
    return replace(cfg.Facade(name="facade", split="building"), **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("folds", [2, 5, 10, 302])
@pytest.mark.parametrize("seed", [0, 1])
def test_no_building_of_the_facades_is_on_both_sides_of_any_fold(folds: int, seed: int) -> None:
    source, options = SOURCES["facade"], facade(folds=folds, split_seed=seed)
    shown = buildings("train")
    held = folds_of(source, options, 906)
    owners = [{shown[i] for i in val} for val in held]
    assert sum(map(len, owners)) == len(set(shown)) == 302, "so no building is in two folds"
    for fold in range(folds):
        train, val = split_indices(source, replace(options, fold=fold), 906)
        assert shared_groups(source, options, train, val) == 0
    sizes = [len(val) for val in held]
    assert max(sizes) - min(sizes) <= 3, "each building has three images"
    if folds == 5:
        assert sorted(sizes) == [180, 180, 180, 183, 183]


def test_the_facades_by_image_leak_only_where_that_is_asked_for() -> None:
    options = facade(split="random")
    held = folds_of(SOURCES["facade"], options, 906)
    assert sorted(map(len, held)) == [181, 181, 181, 181, 182]
    shown = buildings("train")
    assert {shown[i] for i in held[0]} & {shown[i] for i in held[1]}


def test_no_building_of_the_photographs_is_on_both_sides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cmp_facade, "lacking", lambda _folder, _buildings: [])
    options = cfg.CMPFacade(name="cmp_facade", split="building", root=str(tmp_path))
    source = SOURCES["cmp_facade"]
    groups = source.groups(options) if source.groups else None
    assert groups is not None
    held = folds_of(source, options, len(groups))
    owners = [{groups[i] for i in val} for val in held]
    assert sum(map(len, owners)) == len(set(groups))
    assert max(map(len, held)) - min(map(len, held)) <= 3


@real_data("facade/train")
def test_the_images_themselves_are_held_out_once_and_the_test_stays() -> None:
    """On the arrays of the real data: what trains, validates and tests in each fold, by content."""
    from fashseg.data.module import ImageDataModule

    fingerprints = []
    for fold in range(2):
        other = ImageDataModule(facade(root=str(real_root()), fold=fold))
        other.setup()
        assert other.shared_groups == 0
        fingerprints.append(other.fingerprints())
    assert fingerprints[0]["test"] == fingerprints[1]["test"]
    assert fingerprints[0]["val"] != fingerprints[1]["val"]


def test_ones_own_pictures_by_class_and_by_group_whatever_the_seed(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "shapes", each=20)
    options = classes(root, folds=4)
    source = open_source(options)
    train, test = source.counts(options)
    held = folds_of(source, options, train)
    labels = [name for name in ("bar", "disc", "ring") for _ in range(20)]
    assert train + test == len(labels)
    assert max(map(len, held)) - min(map(len, held)) <= 1

    people = tmp_path / "people.csv"
    lines = [f"{path.relative_to(root)},{path.parent.name},p{int(path.stem[-2:]) % 9}" for path in root.rglob("*.png")]
    (root / people.name).write_text("\n".join(["path,label,group", *lines]), encoding="utf-8")
    for split in ("random", "group"):  # where groups are known, folds keep them
        options = classes(root, csv="people.csv", split=split, folds=3)
        source = open_source(options)
        groups = source.groups(options) if source.groups else None
        assert groups is not None
        held = folds_of(source, options, len(groups))
        assert sum(len({groups[i] for i in val}) for val in held) == len(set(groups))


def test_ones_own_masks_are_drawn_by_image(tmp_path: Path) -> None:
    options = masks(write_masks(tmp_path / "rooms", 20), folds=3)
    source = open_source(options)
    held = folds_of(source, options, source.counts(options)[0])
    assert sorted(map(len, held)) == [5, 6, 6]


def test_folds_of_ones_own_pictures_that_cannot_be(tmp_path: Path) -> None:
    given = write_classes(tmp_path / "given", each=4, parts=("train", "val"))
    assert "says which images validate" in refusal(classes(given, fold=0))
    root = write_classes(tmp_path / "shapes", each=4)
    assert "data.folds=50, but there are" in refusal(classes(root, fold=0, folds=50))
    by_class = refusal(classes(root, fold=0, group=1))
    assert "data.folds=5, but there are 3 groups" in by_class
    assert "Set data.folds=3, or less." in by_class
    assert "no image of the class" in refusal(classes(root, fold=0, folds=3, group=1)), "a class would be a fold"


def test_seeds_share_the_folds_unless_the_split_has_a_seed() -> None:
    def split_seed(*words: str) -> int:
        return check(cfg.Train, compose("train", ["data=synthetic_fashion", *words])).data.split_seed

    assert split_seed("seed=3") == 3
    assert split_seed("seed=3", "data.fold=1") == split_seed("seed=4", "data.fold=2") == 0
    assert split_seed("seed=3", "data.fold=1", "data.split_seed=7") == 7


def test_a_cross_validation_by_two_seeds(run: Command, tmp_path: Path) -> None:
    words = [word for word in TINY_CNN if not word.startswith(("page", "epochs"))]
    sweep = ("data.fold=0,1", "data.folds=2", "seed=0,1", "hydra.sweep.dir=s", "epochs=1", "logger=none")
    outcome = run("train", "-m", *words, *sweep, "page=false")
    assert outcome.status == 0, outcome.err
    results = [results_of(tmp_path / "s" / str(number)) for number in range(4)]
    assert [(r["fold"], r["folds"], r["seed"]) for r in results] == [(f, 2, s) for f in range(2) for s in range(2)]
    prints = [r["fingerprints"] for r in results]
    assert len({p["test"] for p in prints}) == 1
    assert [p["val"] for p in prints[::2]] == [p["val"] for p in prints[1::2]], "both seeds have the same folds"
    assert len({p["val"] for p in prints}) == 2
    assert sum(r["images"]["val"] for r in results[::2]) == 300
    assert run("report", "run=s/3", "refresh=true").status == 0
    assert "fold 1 of 2" in page_of(tmp_path / "s" / "3")
    assert run("evaluate", "run=s/3", "split=val").status == 0


REFUSED = {
    "no such fold": (["data.fold=5"], ["data.fold=5", "data.folds=5", "Choose 0 to 4"]),
    "negative": (["data.fold=-1"], ["data.fold=-1", "at least 0"]),
    "one fold": (["data.fold=0", "data.folds=1"], ["data.folds=1", "at least 2"]),
    "folds without a fold": (["data.folds=10"], ["data.folds=10 without data.fold", "-m data.fold=0,1,2"]),
    "two ways to hold out": (["model=segnet", "data.split=published", "data.fold=0"], ["data.split=published"]),
    "one of a sweep": (["-m", "data.fold=0,1,2", "data.folds=2"], ["data.fold=2 is no fold of data.folds=2"]),
    "too few images": (
        ["data=synthetic_fashion", "data.train_images=3", "data.fold=0"],
        ["data.folds=5, but there are 3 images", "data.folds=3"],
    ),
}


@pytest.mark.parametrize(("words", "parts"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_fold_is_refused_in_two_lines(
    run: Command, tmp_path: Path, words: list[str], parts: list[str]
) -> None:
    assert_two_lines(run("train", *words), *parts)
    assert not list(tmp_path.iterdir())


def test_what_was_written_in_chunks_has_parts_of_its_own() -> None:
    with pytest.raises(UserError, match="data=streaming validates on what was held out when it was written"):
        check(cfg.Train, compose("train", ["data=streaming", "data.url=x", "data.fold=0"]))
