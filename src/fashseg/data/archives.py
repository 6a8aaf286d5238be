"""Archives from the network, unpacked whole or not at all, and never beyond their folder.

A zip or tar file can name files outside the folder, links, devices, one file twice, or grow a thousandfold. Whoever
made it, all of that is refused, and what counts is what comes out of it, not what it says about itself.
"""

import bz2
import contextlib
import gzip
import lzma
import re
import shutil
import stat
import tarfile
import unicodedata
import uuid
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, cast

from fashseg.errors import UserError

_PIECE = 1 << 18
_AT_ONCE = 1 << 22
"""The most bytes that are read at once: a table of contents or an extended header goes into memory whole."""
_DEPTH = 16
_BLOCK = 512
_HEADERS = 4096
"""Bytes for each member besides its content, of a tar file: headers, long names, padding."""
_END = 1 << 20
"""Bytes behind the last member of a tar file, which is filled up to a tape's record."""
_DECOMPRESSORS: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}


class _RefusedError(Exception):
    """What is wrong with an archive or a member; reads on from its name."""


class _Member(NamedTuple):
    """A file or folder in an archive: ``open`` is None for a folder, and ``problem`` says why it is refused."""

    name: str
    size: int
    open: Callable[[], IO[bytes] | None] | None
    problem: str | None


def unpack(archive: Path, folder: Path, *, max_bytes: int, max_files: int) -> None:
    """Unpack a zip file, or a tar file that is plain or compressed by gzip, xz or bzip2.

    It is unpacked beside the folder, which appears when all is there and every checksum of the archive was right. Its
    files have no permissions, owners or times from the archive. (Plain tar files have no checksums of contents.)

    Args:
        archive: the file; its name does not matter.
        folder: must not exist, or be empty; its parents are made.
        max_bytes: of all files together as they come out.
        max_files: files and folders in the archive.

    Raises:
        UserError: the archive is missing, damaged, encrypted or of another kind, a member is refused, or the folder
            cannot be written to. Nothing is left behind.
    """
    made: list[Path] = []
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    member: _Member | None = None
    try:
        with _writing_to(folder):
            if folder.is_symlink() or (folder.exists() and any(folder.iterdir())):
                raise FileExistsError(0, "it exists")
            made = [path for path in folder.parents if not path.exists()]
            part.mkdir(parents=True)
        with _opened(archive) as file:
            left, names = max_bytes, _Names(max_files)
            for member in _members(file, max_bytes + max_files * _HEADERS + _END):
                target = part.joinpath(*names.check(member))
                left -= _save(member, target, left)
                member = None
        if left == max_bytes:
            raise _RefusedError("holds no content")
        with _writing_to(folder):
            part.replace(folder)
    except UserError:
        raise
    except _RefusedError as error:
        raise _told(archive, member, str(error)) from error
    except Exception as error:  # on damaged archives the modules raise nearly anything
        raise _told(archive, member, f"is damaged or incomplete ({error or type(error).__name__})") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        for path in made:
            with contextlib.suppress(OSError):  # there is something in it
                path.rmdir()


def _told(archive: Path, member: _Member | None, why: str) -> UserError:
    # Not the name itself: control characters of it would act on the terminal.
    what = f"{archive}: {member.name[:200]!r} {why}." if member else f"{archive} {why}."
    return UserError(what, "Nothing was unpacked. Delete the archive and get it again from where it is published.")


@contextlib.contextmanager
def _writing_to(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror}.",
            "Nothing was unpacked. Choose a new or empty folder, where there is room and you may write.",
        ) from error


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[IO[bytes]]:
    try:
        if archive.exists() and not archive.is_file():
            raise OSError(0, "it is no file")
        file = archive.open("rb")
    except OSError as error:
        raise UserError(f"{archive} cannot be read: {error.strerror}.", "Name a zip or tar file.") from error
    with file:
        yield file


class _Bounded:
    """A file of which little is read at once, and nothing behind a place.

    Args:
        file: to read from; what it decompresses, where it does.
        most: bytes that are read of it; None for all.
    """

    def __init__(self, file: Any, most: int | None = None) -> None:
        self._file, self._most = file, most
        self.tell, self.seekable = file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        content: bytes = self._file.read(min(size, _AT_ONCE + 1) if size >= 0 else _AT_ONCE + 1)
        if len(content) > _AT_ONCE:
            raise _RefusedError(f"has a table of contents or a header of more than {_AT_ONCE:,} bytes")
        self._check(self.tell())
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        self._check(offset)  # before a bomb goes off
        return int(self._file.seek(offset, whence))

    def _check(self, position: int) -> None:
        if self._most is not None and position > self._most:
            raise _RefusedError(f"holds more than {self._most:,} bytes")


def _members(file: IO[bytes], most: int) -> Iterator[_Member]:
    """The members of an archive of any kind, to be read one after the other; a tar file is ``most`` bytes long."""
    start = file.read(8)
    file.seek(0)
    if start.startswith((b"PK\3\4", b"PK\5\6")):
        return _zip_members(_Bounded(file))
    for magic, decompress in _DECOMPRESSORS.items():
        if start.startswith(magic):
            return _tar_members(_Bounded(decompress(file), most))
    return _tar_members(_Bounded(file, most))


def _zip_members(file: _Bounded) -> Iterator[_Member]:
    with zipfile.ZipFile(cast(IO[bytes], file)) as archive:
        for info in archive.infolist():
            problem = None
            if info.flag_bits & 1:
                problem = "is encrypted"
            elif stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                problem = "is a link or a device"
            elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                problem = "is compressed in a way that is not read here"  # the others unpack without measure
            # Not info.filename, which ends at a zero byte.
            is_folder = info.orig_filename.endswith("/")
            yield _Member(
                info.orig_filename, info.file_size, None if is_folder else partial(archive.open, info), problem
            )


def _tar_members(file: _Bounded) -> Iterator[_Member]:
    with tarfile.open(fileobj=cast(IO[bytes], file), mode="r:") as archive:
        while info := archive.next():
            archive.members = []  # type: ignore[attr-defined]  # all headers would stay in memory
            problem = None
            if not info.isdir() and (info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.issparse()):
                problem = "is a link, a device or a file with holes"
            name = info.name + "/" * info.isdir()
            yield _Member(name, info.size, None if info.isdir() else partial(archive.extractfile, info), problem)
        # Where a header is damaged or missing, tarfile takes that for the end.
        file.seek(archive.offset)
        if file.read(_BLOCK) != bytes(_BLOCK):
            raise _RefusedError("is damaged or incomplete (it has no end)")
    while file.read(_PIECE):  # up to the checksum of what was compressed
        pass


class _Names:
    """Checks the members' names, one after the other."""

    def __init__(self, most: int) -> None:
        self._most, self._count, self._files = most, 0, set[str]()

    def check(self, member: _Member) -> tuple[str, ...]:
        """The parts of the name below the folder; _RefusedError for what leads out of it or is there already."""
        name, parts = member.name, PurePosixPath(member.name).parts
        self._count += 1
        if self._count > self._most:
            raise _RefusedError(f"is one too many: {self._most:,} files and folders are the limit")
        if member.problem:
            raise _RefusedError(member.problem)
        if name.startswith("/") or any(re.match("[A-Za-z]:", part) for part in parts):
            raise _RefusedError("has an absolute path")
        if ".." in parts:
            raise _RefusedError("leads out of the folder")
        if "\\" in name or not name.isprintable():
            raise _RefusedError("has a name that means something else on other systems")
        if len(parts) > _DEPTH:
            raise _RefusedError(f"lies more than {_DEPTH} folders deep")
        if member.open:
            # As those file systems compare that do not tell upper from lower case.
            same = unicodedata.normalize("NFC", "/".join(parts).casefold())
            if same in self._files:
                raise _RefusedError("is there twice")
            self._files.add(same)
        return parts


def _save(member: _Member, target: Path, most: int) -> int:
    """Write a member; how many bytes it has."""
    size = 0
    try:
        (target.parent if member.open else target).mkdir(parents=True, exist_ok=True)
        if not member.open:
            return size
        output = target.open("xb")
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise _RefusedError("is there twice, as a file and as a folder") from error
    except OSError as error:
        raise _RefusedError(f"cannot be written: {error.strerror}") from error
    with output, cast(IO[bytes], member.open()) as content:
        while piece := content.read(_PIECE):
            size += len(piece)
            if max(size, member.size) > most:
                raise _RefusedError("goes beyond the limit of bytes for all files together")
            with _writing_to(target):
                output.write(piece)
                output.flush()
    if size != member.size:
        raise _RefusedError(f"is damaged: it has {size:,} bytes where {member.size:,} are told")
    return size
