"""What a data set is to the rest: what it tells about itself, how it is read, how validation images are held out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fashseg import config as cfg
from fashseg.data.folds import common_folds
from fashseg.data.info import Arrays, DataInfo
from fashseg.data.splits import IntArray, group_split, published_split, random_split

if TYPE_CHECKING:  # these bring torch
    from fashseg.data.arrays import ArrayDataset
    from fashseg.data.epoch_order import EpochOrder


class Inputs(NamedTuple):
    """All that the arrays of a data set follow from, which tells whether what is cached is up to date.

    Attributes:
        options: name and value of the options.
        files: all that is read.
        decoding: version of what turns files into arrays.
    """

    options: dict[str, Any]
    files: Sequence[Path]
    decoding: str


@dataclass(frozen=True)
class Source:
    """One data set.

    Attributes:
        info: facts that hold before anything is read.
        read: from the options to training set (validation images included) and test set.
        inputs: from the options to what the arrays follow from; None has them read each time.
        counts: from the options to the number of images of both sets, as far as that is known before they are read.
        pieces: draws both sets in pieces, for little memory; None where images are read.
        by_pieces: reads both sets in pieces, for those that do not fit in memory; it, or its answer, is None where they
            are read at once.
        groups: from the options to what each training image shows, such as a building; None, or an
            answer of None, where images are unrelated.
        describe: from the options to the facts, for data whose size and classes are found in its folder; ``info`` has
            name and task alone then. None where ``info`` says it all.
        kept: shape of a training image in memory, where it is larger than those that a network sees: a window of it is
            drawn for each step. None where it is ``info.shape``.
        complete: number of images of both sets where nothing is missing, for a data set that can be used in part.
        split: from the options and the number of images of the training set to the indices of the training and of the
            validation images, for ways to split that are this data set's own; it returns None for the common ones.
        found: from the options to sentences on what ``describe`` has found, for the reader.
        opened: from the options to all parts, for a data set that is not read as two sets of arrays; None where it is.
    """

    info: DataInfo
    read: Callable[[Any], tuple[Arrays, Arrays]]
    inputs: Callable[[Any], Inputs] | None
    counts: Callable[[Any], tuple[int, int]]
    pieces: Callable[[Any], tuple[Iterator[Arrays], Iterator[Arrays]]] | None = None
    by_pieces: Callable[[Any], tuple[Iterator[Arrays], Iterator[Arrays]] | None] | None = None
    groups: Callable[[Any], Sequence[str] | None] | None = None
    describe: Callable[[Any], DataInfo] | None = None
    kept: tuple[int, int, int] | None = None
    complete: tuple[int, int] | None = None
    split: Callable[[Any, int], tuple[IntArray, IntArray] | None] | None = None
    found: Callable[[Any], Sequence[str]] | None = None
    opened: Callable[[Any], "Opened"] | None = None


@dataclass(frozen=True)
class Opened:
    """A data set that can be trained on.

    Attributes:
        parts: ``train``, ``val`` and ``test``.
        size: bytes of all of it.
        split: how validation images were held out.
        shared_groups: see the function of that name.
        partial: whether it is not complete, so that its scores compare with no other.
        order: from seed, rank and number of processes to the order of training; None is the usual one.
    """

    parts: dict[str, "ArrayDataset"]
    size: int
    split: str
    shared_groups: int | None
    partial: bool
    order: "Callable[[int, int, int], EpochOrder] | None" = None


def split_indices(source: Source, options: cfg.Data, images: int) -> tuple[IntArray, IntArray]:
    """Indices of the training and of the validation images among the first ``images`` of the training set."""
    own = source.split(options, images) if source.split else None
    if own is not None:
        return own
    if options.fold is not None:
        return common_folds(options, images, source.groups(options) if source.groups else None)
    if options.split == "published":
        return published_split(images)
    if options.split == "building":
        groups = source.groups(options) if source.groups else None
        assert groups is not None
        return group_split(groups, options.val_share, options.split_seed)
    return random_split(images, options.val_share, options.split_seed)


def shared_groups(source: Source, options: cfg.Data, train: IntArray, val: IntArray) -> int | None:
    """How many validation images show something that training images show too; None where nobody knows."""
    groups = source.groups(options) if source.groups else None
    if groups is None:
        return None
    trained = {groups[i] for i in train}
    return sum(groups[i] in trained for i in val)
