"""One file of the facades, or of their source: an image or a mask, decoded if it is exactly what it must be.

A checksum that agrees is not enough: a folder may have a list of checksums of its own, made from files that do not fit.
"""

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np

from fashseg.data.info import UInt8Array
from fashseg.data.reading import read_at_most

SIDE = 256

_CLASSES = 5
_MODES = {"RGB": "RGB", "P": "P (palette)"}
_MOST_BYTES = 2**22  # the published ones have 41,042 at most
_ORIENTATION = 0x0112  # Exif 2.3, 4.6.4 A


class BadFileError(Exception):
    """What is wrong with a file; reads on from its name."""


def decode(
    path: Path,
    kind: str,
    mode: str,
    sha256: str = "",
    *,
    size: tuple[int, int] = (SIDE, SIDE),
    classes: int = _CLASSES,
    most_bytes: int = _MOST_BYTES,
) -> UInt8Array:
    """Read, check and decode a file.

    Args:
        path: of the file.
        kind: format, ``JPEG`` of images and ``PNG`` of masks.
        mode: Pillow's name for the kind of pixels, ``RGB`` or ``P``.
        sha256: how its checksum starts, in hexadecimal digits.
        size: width and height.
        classes: values of a mask are below it.
        most_bytes: a larger file is not read.

    Returns:
        uint8, (height, width, 3) of an image, (height, width) of a mask.

    Raises:
        BadFileError: it is missing, damaged, or not what it must be.
    """
    from PIL import Image  # not where the decoded images are cached

    try:
        data = read_at_most(path, most_bytes)
    except FileNotFoundError:
        raise BadFileError("is missing; each image (.jpg) needs the mask (.png) of its name") from None
    except OSError as error:
        raise BadFileError(f"cannot be read ({error.strerror})") from error
    if not data:
        raise BadFileError("is empty")
    try:
        with Image.open(BytesIO(data), formats=[kind]) as picture:
            if picture.size != size:
                raise BadFileError(f"has {picture.width}x{picture.height} pixels, expected are {size[0]}x{size[1]}")
            if picture.mode != mode:
                raise BadFileError(f"has the mode {picture.mode}, expected is {_MODES[mode]}")
            if (count := getattr(picture, "n_frames", 1)) != 1:
                raise BadFileError(f"holds {count} pictures, expected is 1")
            if (turned := picture.getexif().get(_ORIENTATION, 1)) != 1:
                raise BadFileError(
                    f"is to be shown turned or mirrored (EXIF orientation {turned}), so mask and image differ"
                )
            pixels = np.asarray(picture)
    except BadFileError:
        raise
    except Exception as error:  # on damaged files Pillow raises nearly anything
        raise BadFileError(f"is no readable {kind} file: it is damaged or incomplete ({len(data):,} bytes)") from error
    if mode == "P" and pixels.max() >= classes:
        y, x = np.unravel_index(pixels.argmax(), pixels.shape)
        raise BadFileError(f"holds the value {pixels.max()} at row {y}, column {x}; classes are 0 to {classes - 1}")
    if not (found := hashlib.sha256(data).hexdigest()).startswith(sha256):
        raise BadFileError(f"is not the expected file: its SHA-256 starts with {found[:16]}, expected is {sha256}")
    return pixels
