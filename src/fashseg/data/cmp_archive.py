"""The archive of the CMP base set: found or downloaded, unpacked, and what is missing taken from it.

No checksum of it is published. What is downloaded has to be an archive that unpacks without an error, and each file is
checked when it is read: size, kind and values.
"""

import contextlib
import shutil
import uuid
import zipfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from fashseg.data.archives import unpack
from fashseg.data.cmp_base import FOLDER, in_words, lacking
from fashseg.data.reading import dead_link
from fashseg.errors import UserError

NAME = "CMP_facade_DB_base.zip"
ADDRESS = "https://cmp.felk.cvut.cz/~tylecr1/facade/"
MIRRORS = (ADDRESS, ADDRESS.replace("https:", "http:"))

_MOST_BYTES = 2**29  # some 100 kB a photograph, and 378 of them
_MOST_UNPACKED = 2**30
_MOST_FILES = 4000
_SUFFIXES = (".jpg", ".png", ".xml")


def obtain(root: Path, wanted: Collection[str], mirrors: Sequence[str], *, fetching: bool = True) -> Iterator[str]:
    """Complete ``cmp_facade/base`` below the data root; yields what it does. No file that is there is changed.

    Args:
        root: the data root, in full; the archive itself may lie in ``cmp_facade`` or beside it.
        wanted: the buildings.
        mirrors: addresses of folders that have the archive, in this order.
        fetching: False never uses the network.

    Raises:
        UserError: the archive can't be had or unpacked, or a folder can't be written to.
    """
    folder = root / FOLDER
    missing = lacking(folder, wanted)
    if not missing:
        return
    archive = next((path for path in (root / FOLDER.parent / NAME, root / NAME) if _is_there(path)), None)
    if archive is None and fetching:
        yield f"downloading {NAME}"
        archive = _fetch(root, missing, wanted, mirrors)
    if archive is not None:
        yield f"unpacking {archive}"
        count = _take(archive, folder)
        yield f"{count:,} files were added to {folder}"


def lacking_error(
    root: Path, missing: Sequence[str], wanted: Collection[str], why: str = "", *, preparing: bool = True
) -> UserError:
    """The error for an incomplete base set; ``preparing`` tells whether it is met by the verb that completes it."""
    folder = root / FOLDER
    partial = "partial=true" if preparing else "data.partial=true"
    instead = f"; {partial} takes what is there" if len(missing) < len(wanted) else ""
    fetch = (
        "Name another place of {} by mirrors=[ADDRESS]"
        if preparing
        else "Run python -m fashseg.prepare data=cmp_facade"
    )
    put = "that file" if preparing else NAME
    return UserError(
        f"The CMP base set: {folder} lacks {len(missing):,} of {len(wanted):,} buildings ({in_words(missing)})"
        f"{why}{dead_link(folder)}.",
        f"{fetch.format(NAME)}, or put {put} (from {ADDRESS}) into {root / FOLDER.parent}{instead}.",
    )


def _fetch(root: Path, missing: Sequence[str], wanted: Collection[str], mirrors: Sequence[str]) -> Path:
    from fashseg.data.download import DownloadError, fetch

    try:
        return fetch(NAME, root / FOLDER.parent, zipfile.is_zipfile, (*mirrors, *MIRRORS), max_bytes=_MOST_BYTES)
    except DownloadError as error:
        why = f", and downloading failed: {'; '.join(error.reasons)}"
        raise lacking_error(root, missing, wanted, why) from error


def _take(archive: Path, folder: Path) -> int:
    """Unpack beside the folder and move the files that it lacks; returns how many."""
    unpacked = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.unpacked")
    count = 0
    try:
        try:
            unpack(archive, unpacked, max_bytes=_MOST_UNPACKED, max_files=_MOST_FILES)
        except UserError as error:
            raise UserError(error.what, f"Delete {archive}: then it is downloaded again. Or make room.") from error
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(unpacked.rglob("cmp_b*")):
            target = folder / path.name
            if path.suffix in _SUFFIXES and path.is_file() and not target.exists():
                path.replace(target)
                count += 1
    except OSError as error:
        raise UserError(
            f"{folder} can't be written to: {error.strerror}.", "Make room, or let this user write there."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(unpacked)
    return count


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
