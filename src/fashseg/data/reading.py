"""Reading files that may be anything: a pipe that never ends, ten gigabytes under a known name, a link to nothing."""

import errno
import os
import stat
from pathlib import Path


def read_at_most(path: Path, limit: int) -> bytes:
    """The bytes of a regular file.

    Raises:
        OSError: it can't be read, is no regular file, or has more bytes than the limit; ``strerror`` says why.
    """
    # Opening a pipe would wait for somebody who writes to it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it has {status.st_size:,} bytes, at most {limit:,} are expected", str(path))
    return content


def dead_link(path: Path) -> str:
    """Which link on the way to a path leads nowhere, as the end of a sentence; empty where none does."""
    for place in (path, *path.parents):
        if place.is_symlink() and not os.access(place, os.F_OK):
            return f"; {place} is a link to {place.readlink()}, which is not there"
    return ""
