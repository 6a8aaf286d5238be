"""One image of one's own, looked at closely: what may be wrong with it, and what it looks like in 64 bits."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from fashseg.data.folders.decoding import Plan
from fashseg.data.folders.headers import Header
from fashseg.data.folders.items import JPEG_SUFFIXES, Item
from fashseg.data.info import UInt8Array
from fashseg.data.pictures import MOST_BYTES, BadPictureError, decode_picture
from fashseg.data.reading import read_at_most

_SUFFIXES = {
    "JPEG": JPEG_SUFFIXES,
    "PNG": (".png",),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
}
_SMALL = 16  # side of what two images are compared by
_FLAT = 3.0  # deviation of grey values up to which an image shows nothing

UNUSABLE = "can't be used"
"""The kind of note that ends a training; all others are only suspicious."""


@dataclass
class Look:
    """What was seen of one image.

    Attributes:
        notes: kind of what is suspicious, the file, and a sentence on it that reads on from its name.
        digest: of the file, the same for equal files; empty where it can't be read.
        likeness: 64 bits that differ in few places where images look alike; None where it shows nothing.
        small: uint8 (16, 16), grey.
        pixels: how many pixels of the mask have each label, 256 numbers; empty where there is no mask.
    """

    notes: list[tuple[str, str, str]] = field(default_factory=list)
    digest: str = ""
    likeness: int | None = None
    small: UInt8Array | None = None
    pixels: tuple[int, ...] = ()


def look_at_all(plan: Plan, items: Sequence[Item], headers: Sequence[Header]) -> list[Look]:
    """All images, in their order."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda pair: _look(plan, *pair), zip(items, headers, strict=True)))


def _look(plan: Plan, item: Item, header: Header) -> Look:
    look = Look()
    _heading(look, item.name, header)
    size: tuple[int, int] | None = None
    try:
        data = read_at_most(plan.root / item.name, MOST_BYTES)
        look.digest = hashlib.sha256(data).hexdigest()
        image = decode_picture(data).image
        size = image.size
        _remember(look, item.name, image)
    except OSError as error:
        look.notes.append((UNUSABLE, item.name, f"can't be read: {error.strerror}"))
    except BadPictureError as error:
        look.notes.append((UNUSABLE, item.name, str(error)))
    if plan.masks:
        _mask(look, plan, item, size)
    return look


def _heading(look: Look, name: str, header: Header) -> None:
    suffix = PurePosixPath(name).suffix.lower()
    if header.kind and suffix not in _SUFFIXES.get(header.kind, (suffix,)):
        look.notes.append(("of another kind than its name says", name, f"is a {header.kind} file"))
    if header.orientation != 1:
        look.notes.append(
            ("turned or mirrored by a tag", name, f"has Exif orientation {header.orientation}, which is honoured")
        )
    if header.frames > 1:
        look.notes.append(("of several pictures", name, f"holds {header.frames}, of which the first is taken"))


def _remember(look: Look, name: str, image: Image.Image) -> None:
    grey = image.convert("L")
    look.small = np.asarray(grey.resize((_SMALL, _SMALL), Image.Resampling.BOX))
    if look.small.std() <= _FLAT:
        look.notes.append(("without anything to see", name, "is of nearly one brightness"))
        return
    # The difference hash: whether each pixel of 9×8 is brighter than the one left of it.
    few = np.asarray(grey.resize((9, 8), Image.Resampling.BOX)).astype(int)
    look.likeness = int.from_bytes(np.packbits(few[:, 1:] > few[:, :-1]).tobytes(), "big")


def _mask(look: Look, plan: Plan, item: Item, size: tuple[int, int] | None) -> None:
    assert plan.masks is not None
    try:
        labels = plan.masks.read(plan.root / item.target)
    except BadPictureError as error:
        look.notes.append((UNUSABLE, item.target, str(error)))
        return
    if size and labels.shape != size[::-1]:
        found = f"has {labels.shape[1]}×{labels.shape[0]} pixels, its image {size[0]}×{size[1]}"
        look.notes.append((UNUSABLE, item.target, found))
    if Path(item.target).suffix.lower() in JPEG_SUFFIXES:
        look.notes.append(("masks as JPEG", item.target, "is stored with loss, which blurs the borders of classes"))
    counts = np.bincount(labels.reshape(-1), minlength=256)
    look.pixels = tuple(counts.tolist())
    ignore = plan.masks.naming.ignore
    counted = [label for label in np.flatnonzero(counts).tolist() if label != ignore]
    if not counted:
        look.notes.append(("blank", item.target, "holds nothing that counts"))
    elif len(counted) == 1:
        names = plan.masks.naming.names
        name = names[counted[0]] if names else f"class {counted[0]}"
        look.notes.append(("of one class alone", item.target, f"holds {name} alone"))
