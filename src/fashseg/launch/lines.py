"""Output of several jobs on one screen: each line begins with the number of its job."""

import contextlib
import io
import sys
import threading
from collections.abc import Iterator
from typing import TextIO


class JobLines(io.TextIOBase):
    """Writes whole lines to another stream, each behind the number of the job, in one piece: others write, too.

    No terminal, so that nobody draws a bar on it.

    Args:
        stream: where the lines go.
        number: of the job.
    """

    def __init__(self, stream: TextIO, number: int) -> None:
        self._stream, self._prefix = stream, f"[{number}] "
        self._rest = ""
        self._lock = threading.Lock()

    def write(self, text: str, /) -> int:
        """Keep what is no whole line yet."""
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
            self._put(lines)
        return len(text)

    def _put(self, lines: list[str]) -> None:
        if lines:
            # What a carriage return was to overwrite stands on a line of its own, or not at all.
            last = [line.rstrip("\r").rpartition("\r")[2] for line in lines]
            self._stream.write("".join(f"{self._prefix}{line}\n" for line in last))
            self._stream.flush()

    def flush(self) -> None:
        """Whole lines are written at once."""

    def finish(self) -> None:
        """Write what is left."""
        with self._lock:
            if self._rest:
                self._put([self._rest])
            self._rest = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the other stream."""
        return self._stream.encoding

    def fileno(self) -> int:
        """That of the other stream."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """It is."""
        return True


@contextlib.contextmanager
def lines_of_job(number: int) -> Iterator[None]:
    """What is printed in the block is lines of a job."""
    before = sys.stdout, sys.stderr
    out, err = JobLines(sys.stdout, number), JobLines(sys.stderr, number)
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        out.finish()
        err.finish()
        sys.stdout, sys.stderr = before
