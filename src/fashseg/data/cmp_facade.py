"""Whole photographs of the CMP base set to train on, and the test images of the facades to test on.

A photograph whose short side has 286 pixels is kept as overlapping squares of 286×286. A square holds 31×31 windows of
256×256, and the next square begins 31 pixels on: so each window of the photograph at whole pixels can be drawn, and all
but those of its last square equally often. Where nothing is trained, the middle of each square is looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fashseg.data.cmp_archive import lacking_error
from fashseg.data.cmp_base import CLASS_NAMES, FOLDER, PALETTE, TO_FIVE, TO_TWELVE, Building, lacking, read_buildings
from fashseg.data.cmp_base import sizes as sizes_of
from fashseg.data.facade import CLASS_NAMES as FIVE_NAMES
from fashseg.data.facade import PALETTE as FIVE_COLOURS
from fashseg.data.facade import SHORT_SIDE, SourceCrop, source_map
from fashseg.data.facade_pictures import SIDE
from fashseg.data.facade_rebuilt import window
from fashseg.data.facade_windows import small_size
from fashseg.data.info import Arrays, UInt8Array
from fashseg.errors import UserError

SQUARE = SHORT_SIDE
STEP = SQUARE - SIDE + 1

COUNTS = (1642, 114)
"""Squares to train on and images to test on, where no building is missing."""

LABELS: Mapping[int, tuple[tuple[str, ...], tuple[str, ...], UInt8Array]] = {
    5: (FIVE_NAMES, FIVE_COLOURS, TO_FIVE),
    12: (CLASS_NAMES, PALETTE, TO_TWELVE),
}
"""By number of classes: names, colours, and the class by label of CMP."""


@dataclass(frozen=True)
class Plan:
    """What is read: the sizes of the training photographs by building, and the test images."""

    train: Mapping[str, tuple[int, int]]
    test: Sequence[SourceCrop]

    @property
    def counts(self) -> tuple[int, int]:
        """Number of squares and of test images."""
        return len(self.groups), len(self.test)

    @property
    def groups(self) -> list[str]:
        """The building of each square."""
        return [name for name, size in self.train.items() for _ in corners(*small_size(*size))]


def plan(root: Path, partial: bool = False, crops: Sequence[SourceCrop] | None = None) -> Plan:
    """What there is to read below a data root.

    Args:
        root: the data root; the files are in ``cmp_facade/base`` below it.
        partial: be content with the buildings that are there.
        crops: the source map, where it is not the shipped one.

    Raises:
        UserError: buildings are missing, or a building is on both sides.
    """
    crops = source_map() if crops is None else crops
    root = root.absolute()
    train = sizes_of([crop for crop in crops if crop.split == "train"])
    test = sizes_of([crop for crop in crops if crop.split != "train"])
    if both := sorted(set(train) & set(test)):
        raise UserError(f"The source map has {both[0]} in training and test.", "Mend it: no building may be in both.")
    missing = set(lacking(root / FOLDER, {*train, *test}))
    if missing and not (partial and train.keys() - missing and test.keys() - missing):
        raise lacking_error(root, sorted(missing), {*train, *test}, preparing=False)
    return Plan(
        {name: size for name, size in sorted(train.items()) if name not in missing},
        [crop for crop in crops if crop.split != "train" and crop.cmp_base_id not in missing],
    )


def files(root: Path, wanted: Plan) -> list[Path]:
    """All that is read."""
    names = [*wanted.train, *sizes_of(wanted.test)]
    return [root.absolute() / FOLDER / f"{name}{suffix}" for name in names for suffix in (".jpg", ".png")]


def read_cmp_facade(root: Path, classes: int, wanted: Plan) -> tuple[Arrays, Arrays]:
    """Read and cut.

    Returns:
        Squares to train on (N, 3, 286, 286) and test images (M, 3, 256, 256), RGB, with their classes of 0 to
        ``classes - 1``; uint8.

    Raises:
        UserError: a file is missing, damaged, or not what it must be.
    """
    folder, lookup = root.absolute() / FOLDER, LABELS[classes][2]
    squares, _ = wanted.counts
    train = Arrays(np.empty((squares, 3, SQUARE, SQUARE), np.uint8), np.empty((squares, SQUARE, SQUARE), np.uint8))
    place = 0
    for building in read_buildings(folder, wanted.train).values():
        for x, y in corners(*building.labels.shape[::-1]):
            _put(train, place, building, (x, y), SQUARE, lookup)
            place += 1
    shown = read_buildings(folder, sizes_of(wanted.test))
    cut = [window(shown[crop.cmp_base_id], crop) for crop in wanted.test]
    images = np.stack([photo.transpose(2, 0, 1) for photo, _ in cut])
    return train, Arrays(images, lookup[np.stack([labels for _, labels in cut])])


def corners(width: int, height: int) -> list[tuple[int, int]]:
    """Left and upper edges of the squares of a photograph, whose windows are all of its windows."""
    return [(x, y) for y in _starts(height) for x in _starts(width)]


def _starts(length: int) -> list[int]:
    last = length - SQUARE
    return [*range(0, last, STEP), last]


def _put(into: Arrays, place: int, building: Building, corner: tuple[int, int], side: int, lookup: UInt8Array) -> None:
    x, y = corner
    at = slice(y, y + side), slice(x, x + side)
    into.images[place] = building.photo[at].transpose(2, 0, 1)
    into.targets[place] = lookup[building.labels[at]]
