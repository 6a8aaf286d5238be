"""Reading files that may be anything: a pipe that never ends, ten gigabytes under a known name, a link to nothing."""

import errno
import os
import stat
from pathlib import Path

_AT_ONCE = 2**16  # bytes that are asked for where a file has more than it said


def read_at_most(path: str | Path, limit: int) -> bytes:
    """The bytes of a regular file.

    Raises:
        OSError: it can't be read, is no regular file, or has more bytes than the limit; ``strerror`` says why.
    """
    # Opening a pipe would wait for somebody who writes to it.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        # Room for what there is, and for one byte more, by which its end is seen: most files are small.
        parts = [os.read(descriptor, min(status.st_size, limit) + 1)]
        count = len(parts[0])
        while count <= limit and (more := os.read(descriptor, min(_AT_ONCE, limit + 1 - count))):
            parts.append(more)
            count += len(more)
    finally:
        os.close(descriptor)
    if count > limit:
        raise OSError(errno.EFBIG, f"it has {status.st_size:,} bytes, at most {limit:,} are expected", str(path))
    return b"".join(parts)


def dead_link(path: Path) -> str:
    """Which link on the way to a path leads nowhere, as the end of a sentence; empty where none does."""
    for place in (path, *path.parents):
        if place.is_symlink() and not os.access(place, os.F_OK):
            return f"; {place} is a link to {place.readlink()}, which is not there"
    return ""
