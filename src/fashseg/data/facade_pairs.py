"""The pairs of the facades, as they must be: the published ones with their origin, or those of a folder's manifest."""

import csv
import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from fashseg.errors import UserError

SPLITS = ("train", "test_dev")

_CHECKSUM_DIGITS = 16  # 64 bits: enough against accidents, and a small file to ship


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


@dataclass(frozen=True)
class SourceCrop(Pair):
    """Where an image comes from: a square crop of a photograph of the CMP base set, resized to 256×256.

    Attributes, beside those of a :class:`Pair`:
        cmp_base_id: the photograph, and so the building, such as ``cmp_b0175``.
        ransac_inliers: matched points that agree with the crop; few mean a doubtful fit.
        cmp_w: width of the photograph in pixels.
        cmp_h: height of the photograph in pixels.
        crop_x0: left edge of the crop in pixels of the photograph.
        crop_y0: upper edge of the crop in pixels of the photograph.
        crop_side_px: side of the crop in pixels of the photograph.
        side_over_short: that side as a part of the photograph's short side, 256/286 where the fit is right. It is not
            for train/322: do not use its crop.
    """

    cmp_base_id: str
    ransac_inliers: int
    cmp_w: int
    cmp_h: int
    crop_x0: float
    crop_y0: float
    crop_side_px: float
    side_over_short: float


@cache
def source_map() -> tuple[SourceCrop, ...]:
    """The origin of all 1,020 images, training images first, each split in the order of its index."""
    with resources.files("fashseg.data").joinpath("facade_source_map.csv").open(encoding="utf-8") as file:
        return tuple(
            SourceCrop(
                split=row["split"],
                index=int(row["index"]),
                image_sha256=row["image_sha256"],
                mask_sha256=row["mask_sha256"],
                cmp_base_id=row["cmp_base_id"],
                ransac_inliers=int(row["ransac_inliers"]),
                cmp_w=int(row["cmp_w"]),
                cmp_h=int(row["cmp_h"]),
                crop_x0=float(row["crop_x0"]),
                crop_y0=float(row["crop_y0"]),
                crop_side_px=float(row["crop_side_px"]),
                side_over_short=float(row["side_over_short"]),
            )
            for row in csv.DictReader(file)
        )


def buildings(split: Literal["train", "test_dev"]) -> list[str]:
    """The building that each image of a split shows, as CMP number, in the order of the images."""
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, must be one of {SPLITS}")
    return [crop.cmp_base_id for crop in source_map() if crop.split == split]


def read_manifest(path: Path, expected: Sequence[Pair]) -> list[Pair]:
    """The pairs of a folder's own manifest; UserError if it does not list the expected ones."""
    way_out = f"Mend it, or delete {path}: then the files are compared with the published ones."
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            pairs = [
                Pair(row["split"], int(row["index"]), _hex(row["image_sha256"]), _hex(row["mask_sha256"]))
                for row in csv.DictReader(file, restval="")
            ]
    except KeyError as error:
        raise UserError(f"{path} has no column {error}.", way_out) from error
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"{path} cannot be used ({error}).", way_out) from error
    pairs.sort(key=number)
    if [number(pair) for pair in pairs] != [number(pair) for pair in expected]:
        raise UserError(
            f"{path} must list each of the {len(expected):,} pairs once, by split and index as in the file names; it "
            f"has {len(pairs):,} lines.",
            way_out,
        )
    return pairs


def number(pair: Pair) -> tuple[str, int]:
    """By which pairs are put in order."""
    return pair.split, pair.index


def _hex(text: str) -> str:
    digits = text.strip().lower()
    if len(digits) < _CHECKSUM_DIGITS or not set(digits) <= set(string.hexdigits):
        raise ValueError(f"{text!r} is no checksum: {_CHECKSUM_DIGITS} or more hexadecimal digits are expected")
    return digits
