"""The base set of the CMP Facade Database: 378 rectified photographs of facades with a class for each pixel.

Source: Tyleček and Šára, "Spatial Pattern Templates for Recognition of Objects with Regular Structure", GCPR 2013. A
building is ``cmp_bNNNN.jpg`` (photograph), ``.png`` (labels of 1 to 12) and ``.xml`` (the rectangles that the labels
were drawn from, which nothing here reads).
"""

import os
import warnings
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fashseg.data import facade
from fashseg.data.facade import SourceCrop
from fashseg.data.facade_pictures import BadFileError, decode
from fashseg.data.facade_windows import small_size
from fashseg.data.info import UInt8Array
from fashseg.errors import UserError
from fashseg.text import first_of

FOLDER = Path("cmp_facade", "base")
"""Where the files are, below the data root."""

CLASS_NAMES = (
    *("background", "facade", "window", "door", "cornice", "sill"),
    *("balcony", "blind", "deco", "molding", "pillar", "shop"),
)
"""In the order of the labels, of which the first is 1."""

PALETTE = (
    *("#000000", "#0080FF", "#FF8000", "#8B4513", "#FFFF00", "#00FFFF"),
    *("#FF0000", "#FF00FF", "#7A00A0", "#C0C0C0", "#80FF80", "#008000"),
)
"""The classes that the facades have too have their colours."""

TO_FIVE = np.zeros(len(CLASS_NAMES) + 1, np.uint8)
"""The class of the facades by label; what has none, and 0, is others."""
for _name in set(CLASS_NAMES) & set(facade.CLASS_NAMES):
    TO_FIVE[CLASS_NAMES.index(_name) + 1] = facade.CLASS_NAMES.index(_name)

TO_TWELVE = np.maximum(np.arange(len(CLASS_NAMES) + 1, dtype=np.uint8), 1) - 1
"""The class of `CLASS_NAMES` by label; 0, which should not be there, is background."""

_MOST_BYTES = 2**24  # the largest at hand has 402,000
_SHOWN = 8


class Building(NamedTuple):
    """A photograph whose short side has 286 pixels, RGB (H, W, 3), and its labels of 0 to 12, (H, W); uint8."""

    photo: UInt8Array
    labels: UInt8Array


def sizes(crops: Sequence[SourceCrop]) -> dict[str, tuple[int, int]]:
    """Width and height of the photographs of these crops, by building."""
    return {crop.cmp_base_id: (crop.cmp_w, crop.cmp_h) for crop in crops}


def lacking(folder: Path, buildings: Collection[str]) -> list[str]:
    """The buildings of which the photograph or the labels are not in a folder, in order."""
    # Listed once: asking for each file takes long on network file systems.
    try:
        names = {entry.name for entry in os.scandir(folder)}
    except OSError:
        names = set()
    return sorted(name for name in buildings if not {f"{name}.jpg", f"{name}.png"} <= names)


def in_words(buildings: Sequence[str]) -> str:
    """The first of them, and how many more."""
    return first_of(buildings, _SHOWN)


def read_buildings(folder: Path, wanted: Mapping[str, tuple[int, int]]) -> dict[str, Building]:
    """Read, check and make small.

    Args:
        folder: that holds the files.
        wanted: width and height that each photograph must have.

    Raises:
        UserError: a file is missing, damaged, or not what it must be.
    """
    # Pillow warns about some damaged files; here they all become one error.
    with warnings.catch_warnings(action="ignore"), ThreadPoolExecutor() as pool:
        read = list(pool.map(lambda item: _read(folder, *item), wanted.items()))
    problems = [result for result in read if isinstance(result, str)]
    if problems:
        more = f" {len(problems) - 1:,} more of the {len(wanted):,} buildings have bad files." if problems[1:] else ""
        raise UserError(
            f"{problems[0]}.{more}", f"Delete the files of that building in {folder}, and get them from the archive."
        )
    return {name: result for name, result in zip(wanted, read, strict=True) if isinstance(result, Building)}


def _read(folder: Path, name: str, size: tuple[int, int]) -> Building | str:
    """A building, or what is wrong with it."""
    from PIL import Image

    path = folder / f"{name}.jpg"
    try:
        photo = decode(path, "JPEG", "RGB", size=size, most_bytes=_MOST_BYTES)
        path = path.with_suffix(".png")
        labels = decode(path, "PNG", "P", size=size, most_bytes=_MOST_BYTES, classes=len(TO_FIVE))
    except BadFileError as error:
        return f"{path} {error}"
    small = small_size(*size)
    return Building(
        np.asarray(Image.fromarray(photo).resize(small, Image.Resampling.BILINEAR)),
        np.asarray(Image.fromarray(labels).resize(small, Image.Resampling.NEAREST)),
    )
