"""Who reads standard output may stop at any line, as ``head`` does: the rest goes nowhere, and the work goes on."""

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Forsaken(io.FileIO):
    """A descriptor to write to; when nobody reads it any more, it is pointed at the null device.

    As Python's documentation has it in its note on SIGPIPE, but below all buffers: so no line that is printed, no log
    and no flush at the end of the process has to know of it.
    """

    def write(self, content: "ReadableBuffer", /) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(content)


def heed_no_closed_pipes() -> None:
    """From now on it is no error of a process where nobody reads its standard output or its standard error any more.

    Does nothing where they are a terminal or closed from the start, or where something stands in for them; a second
    time is no error.
    """
    if sys.stdout is sys.__stdout__ and sys.stdout is not None:
        sys.stdout = _without_error(sys.stdout)
    if sys.stderr is sys.__stderr__ and sys.stderr is not None:
        sys.stderr = _without_error(sys.stderr)


def _without_error(stream: TextIO) -> TextIO:
    """The same stream, as Python opens it, above a `_Forsaken`."""
    if not isinstance(stream, io.TextIOWrapper) or stream.isatty():
        return stream
    with contextlib.suppress(BrokenPipeError):
        stream.flush()
    raw = _Forsaken(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        raw if isinstance(stream.buffer, io.RawIOBase) else io.BufferedWriter(raw),  # python -u has no buffer
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
