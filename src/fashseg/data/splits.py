"""Which images train and which validate: pure functions from numbers to indices.

Each returns ``(train_indices, val_indices)``: sorted, int64, without overlap, together 0 to n - 1.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fashseg.errors import UserError

IntArray = npt.NDArray[np.int64]


def random_split(n: int, val_share: float, seed: int, option: str = "val") -> tuple[IntArray, IntArray]:
    """Draw the validation images at random.

    Args:
        n: number of images.
        val_share: part of them that validates, above 0 and below 1.
        seed: 0 or more; the same seed gives the same split on every machine.
        option: what the share is of, ``val`` or ``test``, for messages.

    Raises:
        UserError: a value is out of range, or one side would be empty.
    """
    return sides(n, shuffled(n, seed, option)[: _val_count(n, val_share, option)])


def class_split(labels: Sequence[str], val_share: float, seed: int, option: str = "val") -> tuple[IntArray, IntArray]:
    """Draw the validation images at random, of each class its share.

    As many as :func:`random_split` draws. The images of a class, shuffled, are spread evenly over 0 to 1, and those of
    the lowest places are drawn. So a share below one half takes no class whole while there are others with more images.

    Args:
        labels: the class of each image.
        val_share: part of the images that validates, above 0 and below 1.
        seed: 0 or more; the same seed gives the same split on every machine.
        option: what the share is of, ``val`` or ``test``, for messages.

    Raises:
        UserError: a value is out of range, or one side would be empty.
    """
    count = _val_count(len(labels), val_share, option)
    order = shuffled(len(labels), seed, option)
    _, classes, sizes = np.unique(np.asarray(labels, dtype=str)[order], return_inverse=True, return_counts=True)
    by_class = np.argsort(classes, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[by_class] = np.concatenate([np.arange(size) for size in sizes])
    # Among equal places the order of the shuffle decides, for the sort is stable.
    lowest = np.argsort((2 * rank + 1) / sizes[classes], kind="stable")[:count]
    return sides(len(labels), order[lowest])


def group_split(groups: Sequence[str], val_share: float, seed: int, option: str = "val") -> tuple[IntArray, IntArray]:
    """Draw whole groups at random, so that no group has images on both sides.

    Groups are taken in random order as long as they fit into the validation set; one more is taken where that comes
    closer to its size. A set of few large groups can be far from ``val_share``, but neither side is empty.

    Args:
        groups: the group of each image, for example the building it shows.
        val_share: part of the images that validates, above 0 and below 1.
        seed: 0 or more; the same seed gives the same split on every machine.
        option: what the share is of, ``val`` or ``test``, for messages.

    Raises:
        UserError: a value is out of range, or there are fewer than two groups.
    """
    target = _val_count(len(groups), val_share, option)
    names, group_of_image, sizes = np.unique(np.asarray(groups, dtype=str), return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise UserError(
            f"data.{option}_share={val_share} would split the images of one single group ({names[0]}).",
            "Choose data.split=random, or a data set with more groups.",
        )
    order = shuffled(len(names), seed, option)
    chosen: list[int] = []
    left = target
    for group in order:
        if sizes[group] <= left:
            chosen.append(int(group))
            left -= int(sizes[group])
    rest = [int(group) for group in order if group not in chosen]
    # Never empty: the target is below the number of images. min() keeps the first of equals, a random one.
    nearest = min(rest, key=lambda group: abs(left - sizes[group]))
    if len(rest) > 1 and (not chosen or abs(left - sizes[nearest]) < left):
        chosen.append(nearest)
    return sides(len(groups), np.flatnonzero(np.isin(group_of_image, chosen)))


def published_split(n: int, first: int = 800) -> tuple[IntArray, IntArray]:
    """The split of the published facade report: the first 800 images train, the rest validates.

    On the facades it leaks: every validation image shows a building that is also trained on. It is there to reproduce
    the report; to choose a model, split by building.

    Raises:
        UserError: there are not more than ``first`` images.
    """
    if n <= first:
        raise UserError(
            f"data.split=published trains on the first {first} images and validates on the rest, but there are {n}.",
            "Choose data.split=random, or the complete facade data set.",
        )
    return sides(n, np.arange(first, n))


def _val_count(n: int, share: float, option: str) -> int:
    if not 0 < share < 1:  # also refuses nan
        raise UserError(
            f"data.{option}_share is {share}; it must be above 0 and below 1.",
            f"Choose the part of the images to hold out, for example data.{option}_share=0.1.",
        )
    count = round(n * share)
    if not 1 <= count < n:
        side = {"val": "validation", "test": "the test"}[option]
        raise UserError(
            f"data.{option}_share={share} of {n} images leaves {count} for {side} and {n - count} for training; "
            "both need at least one.",
            "Choose a share nearer to 0.5, or more images.",
        )
    return count


def shuffled(n: int, seed: int, option: str) -> IntArray:
    """The numbers 0 to n - 1 in an order that the seed fixes for ever.

    Raises:
        UserError: the seed is negative; ``option`` tells whose it is.
    """
    if seed < 0:
        name = {"val": "split_seed", "test": "test_seed"}[option]
        raise UserError(f"data.{name} is {seed}; it must be 0 or more.", "Choose another one, such as 0.")
    # Sorting the raw numbers instead of Generator.permutation: NumPy promises that a bit generator's raw numbers never
    # change, but not the methods built on them, and a split must mean the same in a later version.
    raw = np.random.PCG64(seed).random_raw(n)
    return np.argsort(raw, kind="stable").astype(np.int64)


def sides(n: int, val: npt.NDArray[np.signedinteger]) -> tuple[IntArray, IntArray]:
    """The other numbers of 0 to n - 1, and these, both sorted."""
    is_val = np.zeros(n, dtype=bool)
    is_val[val] = True
    return np.flatnonzero(~is_val).astype(np.int64), np.flatnonzero(is_val).astype(np.int64)
