"""Chunks that are fetched before they are used, into a cache of bounded size; litdata fetches what is in a bucket."""

import contextlib
import hashlib
import io
import os
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from fashseg.data import cache
from fashseg.data.streaming.buckets import Bucket
from fashseg.data.streaming.places import Folder, PlaceError
from fashseg.files import HeldError, hold

_ABANDONED_SECONDS = 24 * 3600
_LOOK_SECONDS = 0.05  # how often a process looks whether another one has a chunk by now


class Fetcher(Protocol):
    """Where chunks are fetched from."""

    where: str

    def fetch(self, name: str, into: BinaryIO) -> None:
        """Write a file of the data set into another one.

        Raises:
            PlaceError: it is missing or can't be read.
        """


class _TooLargeError(Exception):
    """More bytes came than belong there."""


class _Limited(io.RawIOBase):
    """What is written to another file, as long as it is not too much."""

    def __init__(self, into: BinaryIO, most: int) -> None:
        self.into, self.most = into, most

    def writable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """Parts of a large file come in any order."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to where a part belongs."""
        return self.into.seek(offset, whence)

    def tell(self) -> int:
        """Where the next byte goes."""
        return self.into.tell()

    def write(self, content: "bytes | memoryview") -> int:  # type: ignore[override]
        """Write, within the limit."""
        if self.into.tell() + len(content) > self.most:
            raise _TooLargeError
        return self.into.write(content)


class MountedFolder:
    """A slow folder, of which chunks are copied."""

    def __init__(self, path: Path) -> None:
        self.folder, self.where = Folder(path), f"local:{path}"

    def fetch(self, name: str, into: BinaryIO) -> None:
        """Copy it."""
        with os.fdopen(self.folder.open(name, 0, lambda _: None), "rb") as file:
            shutil.copyfileobj(file, into)


def source_of(where: str, endpoint: str | None, patient: bool) -> Fetcher:
    """What fetches from an address."""
    if where.startswith("local:"):
        return MountedFolder(Path(where.removeprefix("local:")))
    return Bucket(where, endpoint, patient)


class Distant:
    """A place whose chunks are copied to ``streaming`` in the user's cache folder.

    All data sets together have ``most`` bytes there; of more, what was used last stays. Several processes may use it at
    once: a chunk is fetched by one of them, and one that has it open keeps it when it is deleted.

    Args:
        source: where they are fetched from.
        whose: tells its chunks from those of other data sets.
        most: bytes.
    """

    distant = True

    def __init__(self, source: Fetcher, whose: str, most: int) -> None:
        self.source, self.where, self.most = source, source.where, most
        try:
            self._all = cache.folder() / "streaming"
        except RuntimeError as error:
            raise PlaceError(
                "There is no folder for downloaded chunks: this user has no home.", "Name one by $FASHSEG_CACHE."
            ) from error
        self.folder = self._all / hashlib.sha256(whose.encode()).hexdigest()[:16]

    def read(self, name: str, most: int) -> bytes:
        """A small file, fetched anew."""
        content = io.BytesIO()
        try:
            self.source.fetch(name, _Limited(content, most))  # type: ignore[arg-type]
        except _TooLargeError:
            raise PlaceError(
                f"{self.where}/{name} has more than {most:,} bytes.", "It is no data set that fashseg.prepare wrote."
            ) from None
        return content.getvalue()

    def open(self, name: str, size: int, look: Callable[[int], None]) -> int:
        """A descriptor of a chunk, which is fetched where it is not in the cache."""
        path = self.folder / name
        while True:
            with contextlib.suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
                with contextlib.suppress(OSError):
                    os.utime(path)
                return descriptor
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                lock = path.with_name(f"{path.name}.lock")
                with hold(lock):
                    if not path.exists():
                        self._fetch(name, path, size, look)
                    lock.unlink(missing_ok=True)
            except HeldError:
                time.sleep(_LOOK_SECONDS)
            except OSError as error:
                raise PlaceError(
                    f"{path} can't be written: {error.strerror or error}.",
                    "Make room there, lower data.cache_gb, or choose another folder by $FASHSEG_CACHE.",
                ) from error

    def forget(self, name: str) -> None:
        """Take it out of the cache."""
        with contextlib.suppress(OSError):
            (self.folder / name).unlink()

    def _fetch(self, name: str, path: Path, size: int, look: Callable[[int], None]) -> None:
        part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
        try:
            self._make_room(size)
            with part.open("x+b", buffering=0) as file:
                try:
                    self.source.fetch(name, _Limited(file, size))  # type: ignore[arg-type]
                except _TooLargeError:
                    raise PlaceError(
                        f"{self.where}/{name} has more than the {size:,} bytes that belong there.",
                        "Upload it again, or write the data set anew.",
                    ) from None
                look(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _make_room(self, size: int) -> None:
        """Delete what was not used for longest, until there is room; and what killed processes have left."""
        found = []
        for path in self._all.glob("*/*/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                if path.suffix == ".bin":
                    found.append((status.st_mtime, status.st_size, path))
                elif time.time() - status.st_mtime > _ABANDONED_SECONDS:
                    path.unlink()
        held = sum(size for _, size, _ in found)
        for _, bytes_, path in sorted(found):
            if held + size <= self.most:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            held -= bytes_
