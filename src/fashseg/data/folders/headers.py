"""What the heads of picture files say: size, kind, orientation. Kept in the cache, so that it is read once."""

import os
import stat
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from fashseg.data import cache
from fashseg.data.pictures import BadPictureError, head_of

_TURNED = (5, 6, 7, 8)  # orientations that exchange width and height: Exif 2.3, 4.6.4 A


class Header(NamedTuple):
    """What is known of a picture before it is decoded.

    Attributes:
        width: in pixels, as it is shown.
        height: likewise.
        grey: whether it is stored as grey.
        kind: its format, such as ``JPEG``.
        mode: Pillow's name of its kind of pixels.
        orientation: of Exif, 1 to 8; 1 is upright.
        frames: pictures in it.
        problem: why it can't be read, reading on from its name; empty where it can.
    """

    width: int
    height: int
    grey: bool
    kind: str
    mode: str
    orientation: int
    frames: int
    problem: str = ""


def read_headers(name: str, root: Path, files: Sequence[Path]) -> list[Header]:
    """The headers of files, in their order.

    Args:
        name: of the data set, and what of it, for the cache.
        root: where they are.
        files: pictures.
    """
    place = cache.entry(name, {"root": str(root)}, files, "headers 1")

    def read() -> list[Any]:
        with warnings.catch_warnings(action="ignore"), ThreadPoolExecutor() as pool:
            return list(pool.map(_header, files))

    return [Header(*values) for values in cache.remembered(place, read)]


def _header(path: Path) -> Header:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 exists() would say less
            raise BadPictureError("is no regular file")
        return head_of(path, _of)
    except FileNotFoundError:
        return _bad("does not exist")
    except OSError as error:
        return _bad(f"can't be read: {error.strerror or error}")
    except BadPictureError as error:
        return _bad(str(error))


def _bad(problem: str) -> Header:
    return Header(0, 0, False, "", "", 1, 1, problem)


def _of(image: Image.Image) -> Header:
    orientation = image.getexif().get(0x0112, 1)
    orientation = orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
    size = image.size[::-1] if orientation in _TURNED else image.size
    frames = int(getattr(image, "n_frames", 1))
    return Header(*size, _is_grey(image), image.format or "", image.mode, orientation, frames)


def _is_grey(image: Image.Image) -> bool:
    if image.mode == "P":
        palette = image.getpalette() or []
        return all(palette[i] == palette[i + 1] == palette[i + 2] for i in range(0, len(palette) - 2, 3))
    return image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I")
