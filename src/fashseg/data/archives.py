"""Archives from the network, unpacked whole or not at all, and never beyond their folder.

A zip or tar file can name files outside the folder, links, devices, one file twice, or grow a thousandfold. All of that
is refused, and what counts is what comes out of it, not what it says about itself.
"""

import contextlib
import shutil
import tarfile
import unicodedata
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, cast

from fashseg.errors import UserError

_PIECE = 1 << 18
_MOST_DEPTH = 16
_MOST_PADDING = 1 << 20


class _RefusedError(Exception):
    """What is wrong with a member; reads on from its name."""


class _Member(NamedTuple):
    """A file in an archive; ``content`` is None for a folder."""

    name: str
    content: IO[bytes] | None


def unpack(archive: Path, folder: Path, *, max_bytes: int, max_files: int) -> None:
    """Unpack a zip file, or a tar file that is plain or compressed by gzip, bzip2 or xz.

    It is unpacked beside the folder, which appears when everything is there. Files have neither permissions nor owners
    nor times from the archive.

    Args:
        archive: the file; its name does not matter.
        folder: must not exist, or be empty; its parents are made.
        max_bytes: of all files together, as they come out.
        max_files: files and folders in the archive.

    Raises:
        UserError: the archive is missing, damaged, encrypted or of another kind, a member is refused, or the folder
            can't be written to. Nothing is left behind.
    """
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    name = ""
    try:
        if folder.exists() and any(folder.iterdir()):
            raise UserError(f"{folder} holds something already.", "Choose a new folder, or empty it.")
        part.mkdir(parents=True)
        left, seen = max_bytes, set[str]()
        for number, member in enumerate(_members(archive)):
            name = member.name
            if number == max_files:
                raise _RefusedError(f"is more than the {max_files:,} files and folders that are expected")
            target = part.joinpath(*_checked(name, seen))
            if member.content is None:
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                left -= _save(member.content, target, left)
        name = ""
        part.replace(folder)
    except UserError:
        raise
    except Exception as error:  # on damaged archives the modules raise nearly anything
        # Not the name itself: control characters of it would act on the terminal.
        what = f"{archive}: {name[:200]!r} {error}." if name else f"{archive} can't be unpacked: {_reason(error)}."
        raise UserError(
            what, f"Nothing was unpacked to {folder}. Get the archive again from where it is published, or make room."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _members(archive: Path) -> Iterator[_Member]:
    """One after the other, without anything that is no plain file or folder."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for entry in zipped.infolist():
                kind = entry.external_attr >> 28  # of a Unix mode
                if kind not in (0, 0o4, 0o10) or entry.flag_bits & 1:
                    raise _RefusedError(f"{entry.filename[:200]!r} is encrypted, or no plain file")
                with contextlib.nullcontext() if entry.is_dir() else zipped.open(entry) as content:
                    yield _Member(entry.filename, content)
        return
    with tarfile.open(archive) as tarred:
        for info in tarred:
            if not (info.isreg() or info.isdir()):
                raise _RefusedError(f"{info.name[:200]!r} is a link or a device")
            yield _Member(info.name, tarred.extractfile(info))
        _check_end(cast("IO[bytes]", tarred.fileobj))


def _check_end(rest: IO[bytes] | None) -> None:
    """Nothing but zeros are left of a tar file; tarfile itself takes damage between two members for the end.

    To read to the end also has the checksum of a compressed file compared.
    """
    size = 0
    while rest and (piece := rest.read(_PIECE)):
        size += len(piece)
        if piece.strip(b"\0") or size > _MOST_PADDING:
            raise tarfile.ReadError("there is something between two files, or behind the last one")
    if size < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("it is cut off")


def _checked(name: str, seen: set[str]) -> tuple[str, ...]:
    """The parts of a name below the folder."""
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or any(":" in part for part in parts):
        raise _RefusedError("leads out of the folder")
    if "\\" in name or not name.isprintable():
        raise _RefusedError("has a name that means something else on other systems")
    if len(parts) > _MOST_DEPTH:
        raise _RefusedError(f"lies more than {_MOST_DEPTH} folders deep")
    if parts and not name.endswith("/"):
        # As file systems compare that do not tell upper from lower case.
        same = unicodedata.normalize("NFC", "/".join(parts)).casefold()
        if same in seen:
            raise _RefusedError("is there twice")
        seen.add(same)
    return parts


def _save(content: IO[bytes], target: Path, most: int) -> int:
    """Write a file of at most so many bytes; returns how many it has."""
    size = 0
    with target.open("xb") as output:
        while piece := content.read(_PIECE):
            size += len(piece)
            if size > most:
                raise _RefusedError("goes beyond the limit of bytes for all files together")
            output.write(piece)
    return size
