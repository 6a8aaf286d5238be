"""The list of a folder's facades with their checksums, which takes the place of the published ones."""

import csv
import io
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fashseg.data.reading import read_at_most
from fashseg.errors import UserError

MANIFEST = "manifest.csv"

_COLUMNS = ("split", "index", "image_sha256", "mask_sha256")
_CHECKSUM_DIGITS = 16  # 64 bits: enough against accidents, and a small file to ship
_MANIFEST_BYTES = 2**21


@dataclass(frozen=True)
class Pair:
    """An image and its mask as they must be.

    ``index`` is the number in the files' names, from 0 in each split; the checksums are the first 16 or more
    hexadecimal digits of SHA-256.
    """

    split: str
    index: int
    image_sha256: str
    mask_sha256: str


def number(pair: Pair) -> tuple[str, int]:
    """What tells pairs apart."""
    return pair.split, pair.index


def manifest_text(pairs: Sequence[Pair]) -> str:
    """The content of a manifest."""
    lines = [f"{pair.split},{pair.index},{pair.image_sha256},{pair.mask_sha256}" for pair in pairs]
    return "\n".join([",".join(_COLUMNS), *lines, ""])


def read_manifest(path: Path, expected: Sequence[Pair], partial: bool) -> list[Pair]:
    """The pairs of a folder's own manifest, by split and number.

    Args:
        path: of the file.
        expected: sorted by their numbers.
        partial: whether some of them are enough.

    Raises:
        UserError: it does not list the expected ones.
    """
    way_out = f"Mend it, or delete {path}: then the files are compared with the published ones."
    try:
        text = read_at_most(path, _MANIFEST_BYTES).decode("utf-8-sig")
        pairs = [
            Pair(row["split"], int(row["index"]), _hex(row["image_sha256"]), _hex(row["mask_sha256"]))
            for row in csv.DictReader(io.StringIO(text, newline=""), restval="")
        ]
    except KeyError as error:
        raise UserError(f"{path} has no column {error}.", way_out) from error
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"{path} cannot be used ({error}).", way_out) from error
    pairs.sort(key=number)
    found, known = [number(pair) for pair in pairs], [number(pair) for pair in expected]
    if found == known:
        return pairs
    some = bool(found) and set(found) < set(known) and len(set(found)) == len(found)
    if some and partial:
        if {split for split, _ in found} != {split for split, _ in known}:
            raise UserError(f"{path} lists no pair of {' or '.join(_absent(found, known))}.", "Build more of the set.")
        return pairs
    if some:
        way_out = (
            "A set that was built of some buildings is used with data.partial=true; all of it is built by "
            f"python -m fashseg.prepare data=facade rebuild=true. Else: {way_out}"
        )
    raise UserError(
        f"{path} must list each of the {len(known):,} pairs once, by split and index as in the file names; it "
        f"has {len(found):,} lines.",
        way_out,
    )


def _absent(found: Sequence[tuple[str, int]], known: Sequence[tuple[str, int]]) -> list[str]:
    return sorted({split for split, _ in known} - {split for split, _ in found})


def _hex(text: str) -> str:
    digits = text.strip().lower()
    if len(digits) < _CHECKSUM_DIGITS or not set(digits) <= set(string.hexdigits):
        raise ValueError(f"{text!r} is no checksum: {_CHECKSUM_DIGITS} or more hexadecimal digits are expected")
    return digits
