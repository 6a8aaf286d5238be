"""Whether what a file says of a data set can be one: for descriptions that nobody vouches for."""

import re
from collections.abc import Iterable
from math import prod
from typing import Any

from fashseg.data.info import DataInfo
from fashseg.text import printable

MOST_CLASSES = 255
MOST_LETTERS = 200  # of the name of a class
MOST_CHANNELS = 4096
MOST_VALUES = 2**26  # of an image: 4096 × 4096 pixels of three colours, and more
LEAST_STD, LARGEST = 1e-6, 1e6
_FITS = ("stretch", "cover", "contain", "garment", "scale")


def checked_info(values: Any) -> DataInfo:
    """The description, of plausible values.

    Raises:
        ValueError, TypeError: it is none, and what of it is wrong.
    """
    info = DataInfo.from_dict(dict(values))
    if info.task not in ("classification", "segmentation"):
        raise ValueError(f"its task is {info.task!r:.60}")
    if not isinstance(info.name, str) or not isinstance(info.synthetic, bool):
        raise ValueError("its data set has no name")
    _check_names(info.class_names)
    _check_shape(info.shape)
    _check_pixels(info)
    if info.fit not in _FITS:
        raise ValueError("it does not say how pictures of other sizes are fitted")
    if info.short_side is not None and not _whole((info.short_side,), 1, MOST_VALUES):
        raise ValueError(f"its images have a short side of {info.short_side!r:.60}")
    if info.ignore is not None and not _whole((info.ignore,), 0, 255):
        raise ValueError(f"it leaves out pixels of {info.ignore!r:.60}")
    return info


def _check_names(names: Any) -> None:
    known = isinstance(names, tuple) and all(isinstance(name, str) for name in names)
    if not known or not 1 <= len(names) <= MOST_CLASSES:
        raise ValueError(f"it has no names of 1 to {MOST_CLASSES} classes")
    if any(not name or len(name) > MOST_LETTERS or printable(name) != name for name in names):
        raise ValueError(f"the names of its classes are not 1 to {MOST_LETTERS} letters that can be shown")
    if len(set(names)) < len(names):
        raise ValueError("two of its classes have one name")


def _check_shape(shape: Any) -> None:
    if not isinstance(shape, tuple) or len(shape) != 3 or not _whole(shape, 1, MOST_VALUES):
        raise ValueError("it does not say how large its images are")
    if shape[0] > MOST_CHANNELS or prod(shape) > MOST_VALUES:
        raise ValueError(f"its images are {' × '.join(map(str, shape))}, which is too large")


def _check_pixels(info: DataInfo) -> None:
    for numbers, least in ((info.mean, -LARGEST), (info.std, LEAST_STD)):
        if not isinstance(numbers, tuple) or len(numbers) != info.shape[0]:
            raise ValueError("its mean and standard deviation are not one number for each channel")
        if not all(isinstance(number, (int, float)) and least <= number <= LARGEST for number in numbers):
            raise ValueError(f"its mean and standard deviation are not from {least:g} to {LARGEST:g}")
    colours = info.palette
    if not isinstance(colours, tuple) or (colours and len(colours) != len(info.class_names)):
        raise ValueError("it has not one colour for each class")
    if not all(isinstance(colour, str) and re.fullmatch("#[0-9A-Fa-f]{6}", colour) for colour in colours):
        raise ValueError("its colours are not written #RRGGBB")


def _whole(numbers: Iterable[Any], least: int, most: int) -> bool:
    return all(type(number) is int and least <= number <= most for number in numbers)
