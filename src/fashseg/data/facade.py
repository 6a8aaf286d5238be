"""The facades: 906 + 114 photographs of building fronts with a class for each pixel.

A course's data set; all are crops of the CMP Facade Database (Tyleček and Šára, "Spatial Pattern Templates for
Recognition of Objects with Regular Structure", GCPR 2013). The source map beside this file gives each one's origin.
"""

import csv
import os
import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

import numpy as np

from fashseg.data.facade_manifest import MANIFEST, Pair, number, read_manifest
from fashseg.data.facade_pictures import SIDE, BadFileError, decode
from fashseg.data.info import Arrays
from fashseg.data.reading import dead_link
from fashseg.errors import UserError

CLASS_NAMES = ("others", "facade", "pillar", "window", "balcony")
PALETTE = ("#000000", "#0080FF", "#80FF80", "#FF8000", "#FF0000")

MEAN = STD = (128.0, 128.0, 128.0)
"""Not measured: the course scaled its images to x / 128 - 1, and the published figures rest on that."""

SHORT_SIDE = 286
"""Pixels of the short side of the whole photograph that an image is a crop of."""

SPLITS = ("train", "test_dev")

COUNTS = (906, 114)
"""Images of each split."""

_SYNTHETIC = "data=synthetic_facade needs no files."


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


def buildings(split: Literal["train", "test_dev"], pairs: Iterable[Pair] | None = None) -> list[str]:
    """The building that each image of a split shows, as CMP number, in the order of the images.

    Args:
        split: which images.
        pairs: those that are there; all where it is None.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, must be one of {SPLITS}")
    known = {number(crop): crop.cmp_base_id for crop in source_map()}
    return [known[number(pair)] for pair in (source_map() if pairs is None else pairs) if pair.split == split]


def pairs_of(root: Path, partial: bool = False, manifest: Iterable[Pair] | None = None) -> list[Pair]:
    """The pairs that a data root is to hold, by split and number; arguments and errors as in `read_facade`."""
    known = sorted(source_map() if manifest is None else manifest, key=number)
    own = root.absolute() / "facade" / MANIFEST
    return read_manifest(own, known, partial) if os.access(own, os.F_OK) else known  # access(): answers for any path


def files(root: Path, partial: bool = False) -> list[Path]:
    """All that is read from below the data root.

    Raises:
        UserError: the folder's own manifest can't be used.
    """
    folder = root.absolute() / "facade"
    names = [f"{folder}/{pair.split}/eecs442_{pair.index:04d}" for pair in pairs_of(root, partial)]
    own = folder / MANIFEST
    return [Path(name + suffix) for name in names for suffix in (".jpg", ".png")] + [own] * os.access(own, os.F_OK)


def read_facade(
    root: Path, *, limit: int | None = None, manifest: Iterable[Pair] | None = None, partial: bool = False
) -> tuple[Arrays, Arrays]:
    """Read and verify the data set.

    A ``manifest.csv`` in the ``facade`` folder, with the columns split, index, image_sha256 and mask_sha256, takes the
    place of the known checksums: a set that was rebuilt from the CMP archive looks the same but differs in bytes. It
    must list the same pairs, for numbers of images are what splits and :func:`buildings` go by, or some of them where
    that is asked for.

    Args:
        root: the data root; the pairs are ``facade/{train,test_dev}/eecs442_NNNN.{jpg,png}`` below it.
        limit: read only the first so many pairs of each split.
        manifest: the expected pairs; the published 906 + 114 where it is None.
        partial: be content with the pairs that the folder's own manifest lists.

    Returns:
        Training and test set: images (N, 3, 256, 256), RGB of 0 to 255, and masks (N, 256, 256) of 0 to 4, both uint8,
        in the order of their numbers.

    Raises:
        UserError: the folder is missing, or a file is missing, damaged, or not what it must be.
    """
    folder = root.absolute() / "facade"
    require_folders(folder)
    own = folder / MANIFEST
    has_own = os.access(own, os.F_OK)
    pairs = pairs_of(root, partial, manifest)
    wanted = [[pair for pair in pairs if pair.split == split][:limit] for split in SPLITS]
    sets = tuple(
        Arrays(np.empty((len(part), 3, SIDE, SIDE), np.uint8), np.empty((len(part), SIDE, SIDE), np.uint8))
        for part in wanted
    )
    jobs = [(pair, arrays, i) for part, arrays in zip(wanted, sets, strict=True) for i, pair in enumerate(part)]
    # Pillow warns about some damaged files; here they all become one error.
    with warnings.catch_warnings(action="ignore"), ThreadPoolExecutor() as pool:
        problems = [text for texts in pool.map(lambda job: _read_pair(folder, *job), jobs) for text in texts]
    if problems:
        more = f" {len(problems) - 1:,} more of the {2 * len(jobs):,} files are missing or bad." if problems[1:] else ""
        hint = (
            f"Checksums are compared with {own}, which may be damaged itself; without it, with the published ones."
            if has_own
            else "(A set that was rebuilt from the CMP archive has its checksums in "
            f"{own}, as python -m fashseg.prepare data=facade writes it.)"
        )
        raise UserError(f"{problems[0]}.{more}", f"Copy the original files to {folder} again. {hint} {_SYNTHETIC}")
    return sets[0], sets[1]


def require_folders(folder: Path) -> None:
    """Refuse a folder that is not there, or lacks one of its two; files are not looked at.

    Raises:
        UserError: so it is.
    """
    for path in (folder, *(folder / split for split in SPLITS)):
        try:
            if path.is_dir():
                continue
            why = "is not a folder" if path.exists() else f"is missing{dead_link(path)}"
        except OSError as error:
            why = f"cannot be read ({error.strerror})"
        raise UserError(
            f"The facades: {path} {why}. They belong in {folder}: train/eecs442_0000 to eecs442_0905 and "
            "test_dev/eecs442_0000 to eecs442_0113, each as .jpg (image) and .png (mask).",
            "They are no public download in this form: build them by python -m fashseg.prepare data=facade, copy them "
            f"from the course, or set data.root or $FASHSEG_DATA to the folder that holds facade/train; {_SYNTHETIC}",
        )


def _read_pair(folder: Path, pair: Pair, arrays: Arrays, i: int) -> list[str]:
    """Decode a pair into place ``i`` of the arrays and return what is wrong with it."""
    problems = []
    stem = folder / pair.split / f"eecs442_{pair.index:04d}"
    try:
        arrays.images[i] = decode(stem.with_suffix(".jpg"), "JPEG", "RGB", pair.image_sha256).transpose(2, 0, 1)
    except BadFileError as error:
        problems.append(f"{stem.with_suffix('.jpg')} {error}")
    try:
        arrays.targets[i] = decode(stem.with_suffix(".png"), "PNG", "P", pair.mask_sha256)
    except BadFileError as error:
        problems.append(f"{stem.with_suffix('.png')} {error}")
    return problems
