"""Cross-validation: the fold of each image, pure functions from numbers to numbers.

Each returns int64 (N,), the fold of 0 to ``folds - 1`` that each image validates in. All folds together hold every
image once; they follow from the seed alone, on every machine.
"""

from collections.abc import Sequence

import numpy as np

from fashseg import config as cfg
from fashseg.data.splits import IntArray, shuffled, sides
from fashseg.errors import UserError
from fashseg.text import counted


def random_folds(n: int, folds: int, seed: int) -> IntArray:
    """Draw the fold of each image at random; sizes differ by one at most.

    Args:
        n: number of images.
        folds: at least 2.
        seed: 0 or more.

    Raises:
        UserError: there are fewer images than folds.
    """
    _require(n, folds, "image")
    return _dealt(shuffled(n, seed, "val"), folds)


def class_folds(labels: Sequence[str], folds: int, seed: int) -> IntArray:
    """The same, where each fold has its part of each class, too: of no class do two folds differ by more than one.

    Args:
        labels: the class of each image.
        folds: at least 2.
        seed: 0 or more.

    Raises:
        UserError: there are fewer images than folds.
    """
    _require(len(labels), folds, "image")
    order = shuffled(len(labels), seed, "val")
    # Dealt out one after the other, class by class: where one class ends, the next one goes on.
    by_class = np.argsort(np.asarray(labels, dtype=str)[order], kind="stable")
    return _dealt(order[by_class], folds)


def group_folds(groups: Sequence[str], folds: int, seed: int) -> IntArray:
    """Draw the fold of each group, so that no group is in two folds; sizes are as even as groups allow.

    The largest groups come first, each into the fold that has the fewest images so far; the seed decides among equals.

    Args:
        groups: the group of each image, for example the building it shows.
        folds: at least 2.
        seed: 0 or more.

    Raises:
        UserError: there are fewer groups than folds.
    """
    names, group_of_image, sizes = np.unique(np.asarray(groups, dtype=str), return_inverse=True, return_counts=True)
    _require(len(names), folds, "group")
    order = shuffled(len(names), seed, "val")
    fold_of_group = np.empty(len(names), dtype=np.int64)
    held = np.zeros(folds, dtype=np.int64)
    for group in order[np.argsort(-sizes[order], kind="stable")]:
        fold_of_group[group] = np.argmin(held)
        held[fold_of_group[group]] += sizes[group]
    return fold_of_group[group_of_image]


def common_folds(options: cfg.Data, images: int, groups: Sequence[str] | None) -> tuple[IntArray, IntArray]:
    """Training and validation images of ``data.fold``, by group where groups are given.

    Args:
        options: with ``data.fold`` set.
        images: number of images.
        groups: what each of them shows; None where images are to be drawn one by one.
    """
    if groups is None:
        return held_out(random_folds(images, options.folds, options.split_seed), options)
    return held_out(group_folds(groups, options.folds, options.split_seed), options)


def held_out(fold_of_image: IntArray, options: cfg.Data) -> tuple[IntArray, IntArray]:
    """Training and validation images where the fold ``data.fold`` validates."""
    return sides(len(fold_of_image), np.flatnonzero(fold_of_image == options.fold))


def _dealt(order: IntArray, folds: int) -> IntArray:
    fold_of_image = np.empty(len(order), dtype=np.int64)
    fold_of_image[order] = np.arange(len(order)) % folds
    return fold_of_image


def _require(count: int, folds: int, unit: str) -> None:
    if count < folds:
        there_are = f"there {'is' if count == 1 else 'are'} {counted(count, unit)}"
        raise UserError(
            f"data.folds={folds}, but {there_are} to train and validate on.",
            f"Set data.folds={count}, or less." if count >= 2 else "Leave data.fold out.",
        )
