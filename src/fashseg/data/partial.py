"""A file that is still arriving: hidden, one process's at a time, and there again after a kill."""

import contextlib
import hashlib
import logging
import os
import uuid
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)


class NotWritableError(Exception):
    """Why the disk does not take a file, in a few words that name it."""


class PartialFile:
    """The bytes that have arrived of ``target``, in ``.NAME.part`` beside it, locked while this is in use.

    As a context: opens or makes the file, and waits for a process that has it. At the end it is closed, and removed if
    it is empty. A process that waited has to look whether the target is there by now. Where there are no locks, the
    file has a name of its own and is always removed.

    Args:
        target: what the file is to be; its folder exists.

    Raises:
        NotWritableError: by all methods.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f".{target.name}.part")
        self._file: FileIO
        self._nobody_goes_on = False

    def __enter__(self) -> "PartialFile":
        with self._told():
            while True:
                self._file = _open(self.path)
                if not self._nobody_goes_on and not self._lock():
                    self._leave_to_others()
                if self._has_its_name():
                    return self
                self._file.close()  # whoever had it has finished it or thrown it away

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            if (self.size == 0 or self._nobody_goes_on) and self._has_its_name():
                self.path.unlink()
        self._file.close()

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return os.fstat(self._file.fileno()).st_size

    def append(self, content: bytes) -> None:
        """Add bytes at the end."""
        with self._told():
            self._file.seek(0, os.SEEK_END)
            while content:
                content = content[self._file.write(content) :]

    def clear(self) -> None:
        """Throw away what has arrived."""
        with self._told():
            self._file.truncate(0)

    def md5(self) -> str:
        """MD5 of what has arrived."""
        with self._told():
            self._file.seek(0)
            return hashlib.file_digest(self._file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()

    def publish(self) -> None:
        """Give the file its name, once its bytes are on the disk: it is complete even after a power failure."""
        with self._told():
            os.fsync(self._file.fileno())
            self.path.replace(self.target)

    def _lock(self) -> bool:
        """Whether nobody else has this file now; False where there are no locks."""
        if fcntl is None:
            return False
        try:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                log.info("waiting for another process that downloads %s", self.target)
                fcntl.flock(self._file, fcntl.LOCK_EX)
        except OSError:  # some network file systems
            return False
        return True

    def _leave_to_others(self) -> None:
        """Take a name that no other has: what another process has verified must not be written to."""
        with contextlib.suppress(OSError):
            if self.size == 0:
                self.path.unlink()
        self._file.close()
        self.path = self.path.with_name(f".{self.target.name}.{uuid.uuid4().hex}.part")
        self._file = _open(self.path)
        self._nobody_goes_on = True

    def _has_its_name(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(self._file.fileno()), self.path.lstat())
        return False

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            place = self.path if os.path.lexists(self.path) else self.path.parent
            raise NotWritableError(f"{place} cannot be written to ({error.strerror})") from error


def _open(path: Path) -> FileIO:
    """Open for reading and writing, made where it is missing; readable for whom any new file is."""
    # The name can be foreseen, and the folder may be shared: a link in its place is not followed.
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    return FileIO(os.open(path, flags, 0o666), "r+")
