"""The facades: 906 + 114 photographs of building fronts with a class for each pixel.

A course's data set; all are crops of the CMP Facade Database (Tyleček and Šára, "Spatial Pattern Templates for
Recognition of Objects with Regular Structure", GCPR 2013). The source map beside this file gives each one's origin.
"""

import hashlib
import io
import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from fashseg.data.facade_pairs import SPLITS, Pair, number, read_manifest, source_map
from fashseg.data.info import Arrays, UInt8Array
from fashseg.errors import UserError

CLASS_NAMES = ("others", "facade", "pillar", "window", "balcony")
PALETTE = ("#000000", "#0080FF", "#80FF80", "#FF8000", "#FF0000")

MEAN = STD = (128.0, 128.0, 128.0)
"""Not measured: the course scaled its images to x / 128 - 1, and the published figures rest on that."""

SIDE = 256

_ORIENTATION = 0x0112
_MODES = {"RGB": "RGB", "P": "P (palette)"}
_SYNTHETIC = "data=synthetic_facade needs no files."


def files(root: Path) -> list[Path]:
    """All that is read from below the data root."""
    folder = root.absolute() / "facade"
    names = [f"{folder}/{crop.split}/eecs442_{crop.index:04d}" for crop in source_map()]
    own = folder / "manifest.csv"
    return [Path(name + suffix) for name in names for suffix in (".jpg", ".png")] + [own] * own.exists()


def read_facade(
    root: Path, *, limit: int | None = None, manifest: Iterable[Pair] | None = None
) -> tuple[Arrays, Arrays]:
    """Read and verify the data set.

    A ``manifest.csv`` in the ``facade`` folder, with the columns split, index, image_sha256 and mask_sha256, takes the
    place of the known checksums: a set that was rebuilt from the CMP archive looks the same but differs in bytes. It
    must list the same pairs, for numbers of images are what splits and :func:`buildings` go by.

    Args:
        root: the data root; the pairs are ``facade/{train,test_dev}/eecs442_NNNN.{jpg,png}`` below it.
        limit: read only the first so many pairs of each split.
        manifest: the expected pairs; the published 906 + 114 where it is None.

    Returns:
        Training and test set: images (N, 3, 256, 256), RGB of 0 to 255, and masks (N, 256, 256) of 0 to 4, both uint8,
        in the order of their numbers.

    Raises:
        UserError: the folder is missing, or a file is missing, damaged, or not what it must be.
    """
    folder = root.absolute() / "facade"
    _check_folders(folder)
    pairs = sorted(source_map() if manifest is None else manifest, key=number)
    if (own := folder / "manifest.csv").exists():
        pairs = read_manifest(own, pairs)
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
        raise UserError(
            f"{problems[0]}.{more}",
            f"Copy the original files to {folder} again. (If this set was rebuilt from the CMP archive, list its files "
            f"in {own}: split,index,image_sha256,mask_sha256.) {_SYNTHETIC}",
        )
    return sets[0], sets[1]


def _check_folders(folder: Path) -> None:
    for path in (folder, *(folder / split for split in SPLITS)):
        try:
            if path.is_dir():
                continue
            why = "is not a folder" if path.exists() else "is missing"
        except OSError as error:
            why = f"cannot be read ({error.strerror})"
        raise UserError(
            f"The facades: {path} {why}. They belong in {folder}: train/eecs442_0000 to eecs442_0905 and "
            "test_dev/eecs442_0000 to eecs442_0113, each as .jpg (image) and .png (mask).",
            "They are no public download in this form: copy them from the course, or set data.root or $FASHSEG_DATA to "
            f"the folder that holds facade/train; {_SYNTHETIC}",
        )


class _BadFileError(Exception):
    """What is wrong with a file; reads on from its name."""


def _read_pair(folder: Path, pair: Pair, arrays: Arrays, i: int) -> list[str]:
    """Decode a pair into place ``i`` of the arrays and return what is wrong with it."""
    problems = []
    stem = folder / pair.split / f"eecs442_{pair.index:04d}"
    try:
        arrays.images[i] = _decode(stem.with_suffix(".jpg"), "JPEG", "RGB", pair.image_sha256).transpose(2, 0, 1)
    except _BadFileError as error:
        problems.append(f"{stem.with_suffix('.jpg')} {error}")
    try:
        arrays.targets[i] = _decode(stem.with_suffix(".png"), "PNG", "P", pair.mask_sha256)
    except _BadFileError as error:
        problems.append(f"{stem.with_suffix('.png')} {error}")
    return problems


def _decode(path: Path, kind: str, mode: str, sha256: str) -> UInt8Array:
    """Pixels of a file: (256, 256, 3) of an image, (256, 256) of a mask."""
    from PIL import Image  # not where the decoded images are cached

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise _BadFileError("is missing; each image (.jpg) needs the mask (.png) of its name") from None
    except OSError as error:
        raise _BadFileError(f"cannot be read ({error.strerror})") from error
    if not data:
        raise _BadFileError("is empty")
    try:
        with Image.open(io.BytesIO(data), formats=[kind]) as picture:
            if picture.size != (SIDE, SIDE):
                raise _BadFileError(f"has {picture.width}x{picture.height} pixels, expected are {SIDE}x{SIDE}")
            if picture.mode != mode:
                raise _BadFileError(f"has the mode {picture.mode}, expected is {_MODES[mode]}")
            if (pictures := getattr(picture, "n_frames", 1)) > 1:
                raise _BadFileError(f"holds {pictures} pictures, expected is one")
            # Viewers turn such a picture, and its mask lies beside it.
            if (turn := picture.getexif().get(_ORIENTATION, 1)) != 1:
                raise _BadFileError(f"is stored turned or mirrored (EXIF orientation {turn}), which its mask is not")
            pixels = np.asarray(picture)
    except _BadFileError:
        raise
    except Exception as error:  # on damaged files Pillow raises nearly anything
        raise _BadFileError(f"is no readable {kind} file: it is damaged or incomplete ({len(data):,} bytes)") from error
    if mode == "P" and pixels.max() >= len(CLASS_NAMES):
        y, x = np.unravel_index(pixels.argmax(), pixels.shape)
        raise _BadFileError(f"holds the value {pixels.max()} at row {y}, column {x}; classes are 0 to 4")
    if not (found := hashlib.sha256(data).hexdigest()).startswith(sha256):
        raise _BadFileError(f"is not the expected file: its SHA-256 starts with {found[:16]}, expected is {sha256}")
    return pixels
