"""The cache of decoded data sets, and all there is to know about it.

Where: ``$FASHSEG_CACHE``, else ``fashseg`` in the user's cache folder; never beside the data. Deleting it is safe.

What: one file a data set and set of options, ``NAME-DIGEST.arrays``, with the arrays as they are in memory: see
`fashseg.data.array_file`. It is written beside its place and then renamed, so that it is complete or absent, however
many processes write at once. A folder that can't be written to is no error: then the sources are decoded each time.

When: a file is used only where its sources are unchanged (path, size and time of change of each one, the options, the
versions of this format and of the decoding) and its checksums are right. Anything else is decoded again from the
sources, with a line in the log. What has not been used for a month is deleted when something is written.
"""

import contextlib
import hashlib
import json
import logging
import os
import sys
import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from fashseg.data.array_file import FORMAT, Segment, Shape, UnusableError, as_bytes, mapped, read_header, verify, write
from fashseg.data.info import UInt8Array
from fashseg.files import write_atomically

log = logging.getLogger(__name__)

T = TypeVar("T")

_UNUSED_SECONDS = 30 * 24 * 3600
_ABANDONED_SECONDS = 24 * 3600


def folder() -> Path:
    """Where the cache is.

    Raises:
        RuntimeError: the user has no home folder.
    """
    if chosen := os.environ.get("FASHSEG_CACHE"):
        return Path(chosen).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "fashseg"
    xdg = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (xdg if xdg.is_absolute() else Path.home() / ".cache") / "fashseg"


@dataclass(frozen=True)
class Entry:
    """A data set's file in the cache.

    Attributes:
        path: the file, which need not exist.
        source: digest of all that the arrays follow from; a file with another one is out of date.
    """

    path: Path
    source: str

    def read(self, shared: bool = False) -> dict[str, UInt8Array] | None:
        """The arrays by name, verified; None where the file is missing, out of date or damaged.

        Args:
            shared: have the memory of the file's contents in common with other processes that read it so.
        """

        def load(file: FileIO, segments: Mapping[str, Segment]) -> dict[str, UInt8Array]:
            if shared:
                return {name: mapped(file, segment) for name, segment in segments.items()}
            arrays = {name: np.empty(segment.shape, np.uint8) for name, segment in segments.items()}
            for name, segment in segments.items():
                verify(file, segment, as_bytes(arrays[name]))
            return arrays

        return self._use(load)

    def open(self) -> tuple[int, dict[str, Segment]] | None:
        """A descriptor, to be closed, and where the arrays are, verified in little memory; None as in `read`."""

        def load(file: FileIO, segments: Mapping[str, Segment]) -> tuple[int, dict[str, Segment]]:
            for segment in segments.values():
                verify(file, segment, None)
            # Not opened again by name: by now that could be another file.
            return os.dup(file.fileno()), dict(segments)

        return self._use(load)

    def write(self, shapes: Mapping[str, Shape], pieces: Iterable[tuple[str, UInt8Array]]) -> bool:
        """Write the file; False, and a line in the log, where that is not possible.

        Args:
            shapes: of each array, by name.
            pieces: names and successive pieces, along the first axis, of these arrays.
        """
        part = self.path.with_name(f"{self.path.name}.{uuid.uuid4().hex}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _prune(self.path.parent)
            try:
                with part.open("xb", buffering=0) as file:
                    write(file, self.source, shapes, pieces)
                part.replace(self.path)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            log.info("the decoded data is not cached: %s can't be written (%s)", self.path, error.strerror or error)
            return False
        return True

    def _use(self, load: Callable[[FileIO, Mapping[str, Segment]], T]) -> T | None:
        try:
            with self.path.open("rb", buffering=0) as file:
                loaded = load(file, read_header(file, self.source))
            with contextlib.suppress(OSError):  # another user's file, perhaps
                os.utime(self.path)  # in use: see _prune
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (UnusableError, OSError) as error:
            log.info("%s %s: the data is decoded again", self.path, error)
            return None
        return loaded


def entry(name: str, options: Mapping[str, Any], files: Sequence[Path], decoding: str) -> Entry | None:
    """The place of a data set in the cache; None where it has none, for a file is missing or there is no folder.

    Args:
        name: of the data set.
        options: what else the arrays follow from.
        files: all that is read.
        decoding: version of what turns the files into arrays.
    """
    try:
        stamps = [(str(path), (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files]
        place = folder() / f"{name}-{_digest(options)[:16]}.arrays"
    except (OSError, RuntimeError):
        return None
    return Entry(place, _digest([FORMAT, decoding, name, options, stamps]))


def remembered(place: Entry | None, compute: Callable[[], Any]) -> Any:
    """What ``compute`` gave for the same sources before, else what it gives now, which is kept; plain values only.

    It is a JSON file beside where the arrays of this entry would be, ``NAME-DIGEST.json``, with a CRC-32 of its own.
    """
    if place is None:
        return compute()
    path = place.path.with_suffix(".json")
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        content = json.loads(path.read_bytes())
        if content["source"] == place.source and content["crc"] == _crc(content["values"]):
            os.utime(path)
            return content["values"]
    values = compute()
    content = {"source": place.source, "crc": _crc(values), "values": values}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _prune(path.parent)
        write_atomically(path, json.dumps(content))
    except OSError as error:
        log.info("%s can't be written (%s)", path, error.strerror or error)
    return values


def _crc(values: Any) -> int:
    return zlib.crc32(json.dumps(values).encode())


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _prune(where: Path) -> None:
    """Delete what has not been used for long, and what a killed process has left."""
    for pattern, seconds in (
        ("*.arrays", _UNUSED_SECONDS),
        ("*.json", _UNUSED_SECONDS),
        ("*.part", _ABANDONED_SECONDS),
    ):
        for path in where.glob(pattern):
            with contextlib.suppress(OSError):  # another process was faster
                if time.time() - path.stat().st_mtime > seconds:
                    path.unlink()
