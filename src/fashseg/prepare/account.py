"""Any data set: all of it is read, which finds what is missing or damaged, and counted."""

from collections.abc import Iterator

import numpy as np

from fashseg.data.info import Arrays, DataInfo
from fashseg.data.sources import open_source
from fashseg.text import percent
from fashseg.verb_options import Prepare


def prepare(options: Prepare) -> Iterator[str]:
    """Read it, and tell how much there is."""
    source = open_source(options.data)
    yield f"reading data={options.data.name}"
    yield from account(source.info, *source.read(options.data))


def account(info: DataInfo, train: Arrays, test: Arrays) -> Iterator[str]:
    """Lines about the arrays of a data set: counts, size, share of each class."""
    channels, height, width = info.shape
    kind = "grey" if channels == 1 else "RGB" if channels == 3 else f"{channels}-channel"
    yield f"{len(train.images):,} training and {len(test.images):,} test images, {height}x{width}, {kind}"
    unit = "images" if info.task == "classification" else "pixels"
    shares = [_shares(part, len(info.class_names)) for part in (train, test)]
    yield f"share of {unit}, training and test:"
    wide = max(map(len, info.class_names))
    for name, *both in zip(info.class_names, *shares, strict=True):
        yield f"  {name:<{wide}}  {percent(both[0]):>6}  {percent(both[1]):>6}"


def _shares(part: Arrays, classes: int) -> list[float]:
    counts = sum((np.bincount(target.reshape(-1), minlength=classes) for target in part.targets), np.zeros(classes))
    return list((counts[:classes] / max(counts.sum(), 1)).tolist())
