"""Which of one's own images train, validate and test: as the folder says, as lists say, or drawn."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from fashseg import config as cfg
from fashseg.data.folders.items import Item
from fashseg.data.folders.table import below, text_of
from fashseg.data.folds import class_folds, common_folds, held_out
from fashseg.data.splits import IntArray, class_split, group_split, random_split
from fashseg.errors import UserError
from fashseg.text import counted, first_of

_MOST_BYTES = 2**26
_NAMES = {"train": "training", "val": "validation", "test": "test"}


@dataclass(frozen=True)
class Parts:
    """All images, apart.

    Attributes:
        train: those that train or validate, in their order.
        test: the others.
        val: which of ``train`` validate, where that is given; None where they are to be drawn.
    """

    train: list[Item]
    test: list[Item]
    val: IntArray | None

    @property
    def groups(self) -> list[str] | None:
        """What each image of ``train`` shows; None where that is not known of all."""
        groups = [item.group for item in self.train if item.group is not None]
        return groups if len(groups) == len(self.train) else None


def hold_out(root: Path, items: Sequence[Item], options: cfg.OwnData) -> Parts:
    """Set the test images apart, and see which images validate.

    Raises:
        UserError: a list or a group is not as it must be, a side would be empty, or a group is on two sides though
            ``data.split=group``.
    """
    items = with_groups(_listed(root, items, options), options)
    tests = [item.part == "test" for item in items]
    if not any(tests):
        taken = {item.group for item in items if item.part == "val"} if options.split == "group" else set()
        free = [place for place, item in enumerate(items) if item.part != "val" and item.group not in taken]
        pool = np.array(free, dtype=np.int64)
        drawn = _draw([items[place] for place in pool], options, options.test_share, options.test_seed, "test")[1]
        for place in pool[drawn]:
            tests[place] = True
    train = [item for item, test in zip(items, tests, strict=True) if not test]
    given = np.array([place for place, item in enumerate(train) if item.part == "val"], dtype=np.int64)
    parts = Parts(train, [item for item, test in zip(items, tests, strict=True) if test], given if len(given) else None)
    if len(given) == len(train):
        raise UserError(f"data.root={root} leaves no image for training.", "Leave some out of validation and test.")
    if options.split == "group":
        _refuse_leaks(parts, given)
    return parts


def validation(parts: Parts, options: cfg.OwnData) -> tuple[IntArray, IntArray]:
    """Places in ``parts.train`` of the training and of the validation images.

    Raises:
        UserError: a side would be empty, or ``data.fold`` is given though the validation images are.
    """
    if options.fold is not None:
        return _fold(parts, options)
    if parts.val is not None:
        return np.setdiff1d(np.arange(len(parts.train)), parts.val).astype(np.int64), parts.val
    return _draw(parts.train, options, options.val_share, options.split_seed, "val")


def _fold(parts: Parts, options: cfg.OwnData) -> tuple[IntArray, IntArray]:
    """The same where a fold validates: by group wherever groups are known, so that folds can't leak."""
    if parts.val is not None:
        raise UserError(
            f"data.fold={options.fold}, but data.root={options.root} says which images validate.",
            "Leave data.fold out; or leave out data.val_list, the folder val, or val in the table.",
        )
    if parts.groups is None and isinstance(options, cfg.ImageFolder):
        return held_out(class_folds([item.target for item in parts.train], options.folds, options.split_seed), options)
    return common_folds(options, len(parts.train), parts.groups)


def untrained(options: cfg.OwnData, parts: Parts, train: IntArray) -> list[str]:
    """Classes of which no image trains, where images have classes."""
    if isinstance(options, cfg.MaskFolder):
        return []
    targets = {item.target for item in (*parts.train, *parts.test)}
    return sorted(targets - {parts.train[place].target for place in train})


def _draw(items: Sequence[Item], options: cfg.OwnData, share: float, seed: int, part: str) -> tuple[IntArray, IntArray]:
    if options.split == "group":
        return group_split([item.group or "" for item in items], share, seed, part)
    if isinstance(options, cfg.ImageFolder):
        return class_split([item.target for item in items], share, seed, part)
    return random_split(len(items), share, seed, part)


def with_groups(items: Sequence[Item], options: cfg.OwnData) -> list[Item]:
    """Items with the groups that ``data.group`` finds in their paths.

    Raises:
        UserError: it is no expression, or finds nothing in a path; or ``data.split=group`` and there are no groups.
    """
    if options.group is not None:
        items = [replace(item, group=_group(item.name, options.group)) for item in items]
    if options.split != "group":
        return list(items)
    if alone := next((item for item in items if item.group is None), None):
        raise UserError(
            f"data.split=group, but {alone.name} has no group.",
            f"Fill in the column {options.group_column} of data.csv for all, or say by data.group= where in a path the "
            "group is."
            if options.csv
            else "Say where in a path it is: data.group=1 for the first folder, or a regular expression.",
        )
    groups = {item.group for item in items}
    if len(groups) < 3:
        raise UserError(
            f"data.split=group, but all images are of {counted(len(groups), 'group')} "
            f"({', '.join(sorted(map(str, groups)))}); training, validation and test need one each.",
            "Choose another data.group, or data.split=random.",
        )
    return list(items)


def _group(name: str, rule: str | int) -> str:
    if isinstance(rule, int):
        folders = PurePosixPath(name).parts[:-1]
        if not 1 <= rule <= len(folders):
            raise UserError(
                f"data.group={rule}: {name} lies in {counted(len(folders), 'folder')} below data.root.",
                "Choose a number of 1 or more that all images have, or a regular expression.",
            )
        return folders[rule - 1]  # alone: a person may have a folder in each class
    try:
        found = re.search(rule, name)
    except (re.error, RecursionError, OverflowError) as error:
        raise UserError(f"data.group={rule} is no regular expression: {error}.", "Mend it.") from error
    if found is None:
        raise UserError(
            f"data.group={rule} finds nothing in {name}.",
            "It is looked for in the path of each image below data.root, with slashes; mend it.",
        )
    return next((text for text in found.groups() if text is not None), found[0])


def _listed(root: Path, items: Sequence[Item], options: cfg.OwnData) -> list[Item]:
    """Items with the parts that ``data.val_list`` and ``data.test_list`` give them."""
    changed = list(items)
    for part, value in (("val", options.val_list), ("test", options.test_list)):
        if value is None:
            continue
        option = f"data.{part}_list"
        if any(item.part == part for item in items):
            raise UserError(
                f"{option}={value}, but the {_NAMES[part]} images are given by data.root already.", "Leave out one."
            )
        for place in _named_in(below(root, option, value), option, items):
            if changed[place].part not in ("", "train"):
                raise UserError(f"{changed[place].name} is both in data.val_list and in the test.", "Keep it in one.")
            changed[place] = replace(changed[place], part=part)
    return changed


def _named_in(path: Path, option: str, items: Sequence[Item]) -> list[int]:
    lines = [line.strip() for line in text_of(path, _MOST_BYTES).splitlines()]
    wanted = list(dict.fromkeys(line.removeprefix("./") for line in lines if line))
    if not wanted:
        raise UserError(f"{option}={path} names no image.", "Write a path, a file name or a stem in each line.")
    places: dict[str, set[int]] = {}
    for place, item in enumerate(items):
        path_of = PurePosixPath(item.name)
        for name in (item.name, str(path_of.with_suffix("")), path_of.name, path_of.stem):
            places.setdefault(name, set()).add(place)
    found: list[int] = []
    unknown = [name for name in wanted if name not in places]
    if unknown:
        raise UserError(
            f"{path} ({option}) names {first_of(unknown, 1)}, which is no image below data.root.",
            "Write paths below data.root, file names or stems, one a line.",
        )
    for name in wanted:
        if len(places[name]) > 1:
            which = " and ".join(items[place].name for place in sorted(places[name])[:2])
            raise UserError(f"{path} ({option}) names {name}, which may be {which}.", "Write the path below data.root.")
        found += places[name]
    return found


def _refuse_leaks(parts: Parts, given: IntArray) -> None:
    val = {parts.train[place].group for place in given}
    held = set(given.tolist())
    sides = {
        "training": {item.group for place, item in enumerate(parts.train) if place not in held},
        "validation": val,
        "test": {item.group for item in parts.test},
    }
    for one, other in (("training", "validation"), ("training", "test"), ("validation", "test")):
        if both := sorted(map(str, sides[one] & sides[other])):
            raise UserError(
                f"data.split=group, but the group {first_of(both, 1)} has images both in {one} and in {other}, as they "
                "are given.",
                "Mend the folders, lists or table; or let the parts be drawn.",
            )
