"""Files that a browser has sent: which ones are taken. Imports no torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fashseg.data.pictures import BadPictureError, head_of
from fashseg.text import printable

MOST_BYTES = 50 * 2**20
"""Of a file that is taken."""
MOST_PIXELS = 64_000_000
"""Of a picture that is taken."""


def uploaded(value: Mapping[str, Any], folder: Path) -> tuple[Path, str]:
    """Path and name of a file that was uploaded; any other one of this computer is refused.

    Args:
        value: what the browser says of it.
        folder: where uploads are.

    Raises:
        BadPictureError: it is not there.
    """
    path = Path(str(value.get("path"))).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BadPictureError("was not uploaded")
    return path, printable(str(value.get("orig_name") or path.name))


def check_size(path: Path) -> None:
    """Refuse what is too large, by the head of the file.

    Raises:
        BadPictureError: it has too many bytes or pixels, or is no picture.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadPictureError(f"has more than {MOST_BYTES // 2**20} MB")
        width, height = head_of(path, lambda image: image.size)
    except OSError as error:
        raise BadPictureError(f"can't be read: {error.strerror}") from error
    if width * height > MOST_PIXELS:
        raise BadPictureError(
            f"has {width:,}×{height:,} pixels, more than {MOST_PIXELS // 10**6} million; predict takes larger ones"
        )
