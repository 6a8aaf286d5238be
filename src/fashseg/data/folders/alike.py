"""Images that are the same, or nearly: what is both trained on and tested on flatters the test."""

from collections.abc import Sequence

import numpy as np

from fashseg.data.folders.looking import Look

_BITS = 4  # of 64 that may differ
_MEAN = 8.0  # grey values by which 16×16 pixels may differ on average
_ROWS = 256


def equal_files(looks: Sequence[Look]) -> list[list[int]]:
    """Places of files that are equal byte for byte, in groups of two or more."""
    places: dict[str, list[int]] = {}
    for place, look in enumerate(looks):
        if look.digest:
            places.setdefault(look.digest, []).append(place)
    return [group for group in places.values() if len(group) > 1]


def near_pairs(looks: Sequence[Look], parts: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of places of images of different parts that look alike and are not the same file.

    Alike are images of which at most 4 of 64 bits of the difference hash differ and whose small grey pictures do not
    differ by more than 8 grey values on average.
    """
    places = np.array([i for i, look in enumerate(looks) if look.likeness is not None], dtype=np.int64)
    if not len(places):
        return []
    bits = np.array([looks[i].likeness for i in places], dtype=np.uint64)
    part = np.array([parts[i] for i in places])
    small = np.stack([looks[i].small for i in places]).astype(np.int16)
    pairs = []
    for first in range(0, len(places), _ROWS):
        rows = slice(first, first + _ROWS)
        close = np.bitwise_count(bits[rows, None] ^ bits[None]) <= _BITS
        close &= part[rows, None] != part[None]
        for i, j in np.argwhere(close).tolist():
            one, other = first + i, j
            same = looks[places[one]].digest == looks[places[other]].digest
            if one < other and not same and np.abs(small[one] - small[other]).mean() <= _MEAN:
                pairs.append((int(places[one]), int(places[other])))
    return pairs
