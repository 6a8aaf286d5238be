"""A data set's arrays as they are used: read or drawn once, from then on taken out of the cache."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np
import torch

from fashseg import config as cfg
from fashseg.data import cache
from fashseg.data.array_file import Shape
from fashseg.data.arrays import Array, FileArray, OpenFile
from fashseg.data.info import Arrays, UInt8Array
from fashseg.data.residence import fits_in_memory, free_on_disk, jobs_beside
from fashseg.data.source import Source
from fashseg.errors import UserError
from fashseg.memory import free_memory
from fashseg.text import bytes_in_words

log = logging.getLogger(__name__)

WORTH_SECONDS = 0.5
"""What is drawn in less is not worth a file."""

_SMALL_BYTES = 8

NAMES = ("train_images", "train_targets", "test_images", "test_targets")


class Set(NamedTuple):
    """Images (N, C, H, W) and targets (N,) or (N, H, W), uint8, in memory or on disk."""

    images: Array
    targets: Array


@dataclass(frozen=True)
class Stored:
    """Training set, validation images included, and test set."""

    train: Set
    test: Set

    @property
    def size(self) -> int:
        """Bytes of all arrays."""
        return sum(prod(array.shape) for part in (self.train, self.test) for array in part)


def load(source: Source, options: cfg.Data) -> Stored:
    """All arrays of a data set: in memory, or on disk where ``data.resident`` or the free memory say so.

    Raises:
        UserError: a source is missing or damaged, or a target is not among the classes.
    """
    shapes = _shapes(source, options)
    in_memory = fits_in_memory(options.resident, sum(map(prod, shapes.values())))
    entry = _entry(source, options)
    stored = entry and (_from_memory(entry.read(shared=jobs_beside() > 1)) if in_memory else _on_disk(entry))
    if stored:
        return stored
    if source.pieces:
        _refuse_size(options, sum(map(prod, shapes.values())))
    if not in_memory and entry and (pieces := _pieces(source, options)):
        stored = _on_disk(entry) if entry.write(shapes, _named(source, pieces)) else None
    return stored or _decode(source, options, entry, in_memory)


def _refuse_size(options: cfg.Data, size: int) -> None:
    """Refuse a drawn data set that there is no room for: whoever sends a run folder may have written any number."""
    try:
        disk = free_on_disk(cache.folder())
    except RuntimeError:  # no home
        disk = 0
    memory = free_memory()
    if memory is not None and disk is not None and size > max(memory, disk):
        raise UserError(
            f"data={options.name} would take {bytes_in_words(size)}, for which neither memory nor the cache has room.",
            "Draw fewer images by data.train_images= and data.test_images=.",
        )


def _decode(source: Source, options: cfg.Data, entry: cache.Entry | None, in_memory: bool) -> Stored:
    start = time.perf_counter()
    train, test = source.read(options)
    _check(source, train)
    _check(source, test)
    arrays: dict[str, UInt8Array] = dict(zip(NAMES, (*train, *test), strict=True))
    worth = not source.pieces or time.perf_counter() - start > WORTH_SECONDS
    now = _entry(source, options)
    unchanged = entry in (None, now)  # None: files were missing and have been fetched
    if now and unchanged and (worth or not in_memory):
        written = now.write({name: array.shape for name, array in arrays.items()}, arrays.items())
        if written and not in_memory and (stored := _on_disk(now)):
            return stored
        if written and jobs_beside() > 1 and (stored := _from_memory(now.read(shared=True))):
            return stored
    if not in_memory:
        log.info("the data is kept in memory, for the cache can't be used")
    stored = _from_memory(arrays)
    assert stored is not None
    return stored


def _entry(source: Source, options: cfg.Data) -> cache.Entry | None:
    if source.inputs is None:
        return None
    inputs = source.inputs(options)
    return cache.entry(source.info.name, inputs.options, inputs.files, inputs.decoding)


def _from_memory(arrays: dict[str, UInt8Array] | None) -> Stored | None:
    if arrays is None:
        return None
    tensors = [torch.from_numpy(arrays[name]) for name in NAMES]
    return Stored(Set(*tensors[:2]), Set(*tensors[2:]))


def _on_disk(entry: cache.Entry) -> Stored | None:
    if (found := entry.open()) is None:
        return None
    descriptor, segments = found
    file = OpenFile(descriptor)
    arrays = [FileArray(file, segments[name].shape, segments[name].offset) for name in NAMES]
    # A label takes less memory than its number in an epoch's order, and would take as long to read as its image.
    held: list[Array] = [
        array.index_select(0, torch.arange(len(array))) if prod(array.shape[1:]) <= _SMALL_BYTES else array
        for array in arrays
    ]
    return Stored(Set(*held[:2]), Set(*held[2:]))


def _shapes(source: Source, options: cfg.Data) -> dict[str, Shape]:
    train, test = source.counts(options)
    shapes = []
    for count, image in ((train, source.kept or source.info.shape), (test, source.info.shape)):
        shapes += [(count, *image), (count, *(image[1:] if source.info.task == "segmentation" else ()))]
    return dict(zip(NAMES, shapes, strict=True))


def _pieces(source: Source, options: cfg.Data) -> tuple[Iterator[Arrays], Iterator[Arrays]] | None:
    """Both sets in pieces, so that they take little memory whatever their size; None where that is not possible."""
    if source.pieces:
        return source.pieces(options)
    return source.by_pieces(options) if source.by_pieces else None


def _named(source: Source, sets: tuple[Iterator[Arrays], Iterator[Arrays]]) -> Iterator[tuple[str, UInt8Array]]:
    for names, pieces in zip((NAMES[:2], NAMES[2:]), sets, strict=True):
        for piece in pieces:
            _check(source, piece)
            yield from zip(names, piece, strict=True)


def _check(source: Source, arrays: Arrays) -> None:
    classes, ignore = len(source.info.class_names), source.info.ignore
    targets = arrays.targets if ignore is None else arrays.targets[arrays.targets != ignore]
    largest = int(np.max(targets, initial=0))
    if largest >= classes:
        raise UserError(
            f"data={source.info.name}: a target has the value {largest}, but there are {classes} classes.",
            "Values count from 0; mend the labels.",
        )
