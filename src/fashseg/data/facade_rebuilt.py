"""The facades built again from the photographs that they are windows of, and how close that comes."""

import hashlib
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fashseg.data.cmp_base import TO_FIVE, Building
from fashseg.data.facade import PALETTE, SPLITS, SourceCrop
from fashseg.data.facade_manifest import MANIFEST, Pair, manifest_text
from fashseg.data.facade_pictures import SIDE, BadFileError, decode
from fashseg.data.facade_windows import corner
from fashseg.data.info import UInt8Array
from fashseg.errors import UserError

# The originals' own: with others images are further from them (75: 36.6 dB, 90: 39.7, 95: 45.8, 100: 43.1).
_JPEG = {"quality": 95, "subsampling": "4:2:0"}

_COLOURS = [int(colour[i : i + 2], 16) for colour in PALETTE for i in (1, 3, 5)]


class Closeness(NamedTuple):
    """How close images are to others of the same numbers.

    Attributes:
        images: how many were compared.
        psnr: peak signal-to-noise ratio of each, in dB; infinite where all pixels are equal.
        equal: share of equal labels of each.
    """

    images: int
    psnr: list[float]
    equal: list[float]


def window(building: Building, crop: SourceCrop) -> tuple[UInt8Array, UInt8Array]:
    """An image (256, 256, 3) and its labels as in CMP (256, 256)."""
    x, y = corner(crop)
    at = slice(y, y + SIDE), slice(x, x + SIDE)
    return building.photo[at], building.labels[at]


def write(folder: Path, crops: Sequence[SourceCrop], buildings: Mapping[str, Building]) -> None:
    """Write images, masks and manifest into a folder that is complete or absent.

    Args:
        folder: must not exist; its parent is made.
        crops: all of whose buildings are there.
        buildings: by name.

    Raises:
        UserError: it can't be written.
    """
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    try:
        for split in SPLITS:
            (part / split).mkdir(parents=True)
        with ThreadPoolExecutor() as pool:
            pairs = list(pool.map(lambda crop: _write_pair(part, crop, buildings[crop.cmp_base_id]), crops))
        _save(part / MANIFEST, manifest_text(pairs).encode())
        part.rename(folder)
    except OSError as error:
        raise UserError(
            f"{folder} can't be written: {error.strerror}.", "Make room, or let this user write there."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def replace(folder: Path, new: Path) -> Path | None:
    """Put a new folder in the place of an old one.

    Returns:
        Where the old one is kept: only what was not built here, which a manifest would show, is.

    Raises:
        UserError: it can't be done; the old one is in its place.
    """
    ours = (folder / MANIFEST).is_file()
    kept = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part" if ours else _free_name(folder))
    try:
        folder.rename(kept)
        try:
            new.rename(folder)
        except OSError:
            kept.rename(folder)
            raise
    except OSError as error:
        raise UserError(f"{folder} can't be replaced: {error.strerror}.", "Let this user write there.") from error
    if ours:
        shutil.rmtree(kept, ignore_errors=True)
    return None if ours else kept


def compare(folder: Path, others: Path, crops: Sequence[SourceCrop]) -> Closeness:
    """Compare with another folder of facades, as far as it has readable files of the same numbers."""
    psnr, equal = [], []
    for crop in crops:
        name = Path(crop.split, f"eecs442_{crop.index:04d}")
        try:
            image, mask = _decoded(folder / name)
            other_image, other_mask = _decoded(others / name)
        except BadFileError:
            continue
        error = float(np.mean((image.astype(np.float32) - other_image) ** 2))
        psnr.append(float(10 * np.log10(255**2 / error)) if error else float("inf"))
        equal.append(float((mask == other_mask).mean()))
    return Closeness(len(psnr), psnr, equal)


def _decoded(stem: Path) -> tuple[UInt8Array, UInt8Array]:
    return decode(stem.with_suffix(".jpg"), "JPEG", "RGB"), decode(stem.with_suffix(".png"), "PNG", "P")


def _write_pair(folder: Path, crop: SourceCrop, building: Building) -> Pair:
    from PIL import Image

    photo, labels = window(building, crop)
    mask = Image.fromarray(TO_FIVE[labels])
    mask.putpalette(_COLOURS)
    stem = folder / crop.split / f"eecs442_{crop.index:04d}"
    image, mask_bytes = BytesIO(), BytesIO()
    Image.fromarray(photo).save(image, "JPEG", **_JPEG)
    mask.save(mask_bytes, "PNG")
    _save(stem.with_suffix(".jpg"), image.getvalue())
    _save(stem.with_suffix(".png"), mask_bytes.getvalue())
    return Pair(crop.split, crop.index, _sha256(image.getvalue()), _sha256(mask_bytes.getvalue()))


def _save(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _free_name(folder: Path) -> str:
    numbers = (f"{folder.name}.before" + (f"_{number}" if number > 1 else "") for number in range(1, 1000))
    return next(name for name in numbers if not os.path.lexists(folder.with_name(name)))
