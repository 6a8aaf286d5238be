"""The cache of decoded data sets, and all there is to know about it.

Where: ``$FASHSEG_CACHE``, else ``fashseg`` in the user's cache folder; never beside the data. Deleting it is safe.

What: one file a data set and set of options, ``NAME-DIGEST.arrays``, with the arrays as they are in memory. It is
written beside its place and then renamed, so that it is complete or absent, however many processes write at once.
A folder that can't be written to is no error: then the sources are decoded each time.

When: a file is used only where its sources are unchanged (path, size and time of change of each one, the options, the
versions of this format and of the decoding) and its checksums are right. Anything else is decoded again from the
sources, with a line in the log. What has not been used for a month is deleted when something is written.

Format: magic bytes, length and CRC-32 of a JSON header, the header, zeros up to a page; then each array, from the
start of a page on. CRC-32 finds every flipped bit and takes 5 to 40 ms for 50 to 270 MB.
"""

import contextlib
import hashlib
import json
import logging
import math
import os
import struct
import sys
import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from fashseg.data.info import UInt8Array
from fashseg.files import write_atomically

log = logging.getLogger(__name__)

Shape = tuple[int, ...]
T = TypeVar("T")

_FORMAT = 1
_MAGIC = b"fashseg\n"
_START = struct.Struct("<8sII")
_PAGE = 4096
_PIECE = 1 << 20  # bytes at once: what the processor's cache holds
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


class Segment(NamedTuple):
    """An array in a file: ``crc`` is the CRC-32 of its bytes."""

    shape: Shape
    offset: int
    crc: int


class _UnusableError(Exception):
    """Why a file of the cache is not used; reads on from its name."""


@dataclass(frozen=True)
class Entry:
    """A data set's file in the cache.

    Attributes:
        path: the file, which need not exist.
        source: digest of all that the arrays follow from; a file with another one is out of date.
    """

    path: Path
    source: str

    def read(self) -> dict[str, UInt8Array] | None:
        """The arrays by name, verified; None where the file is missing, out of date or damaged."""

        def load(file: FileIO, segments: Mapping[str, Segment]) -> dict[str, UInt8Array]:
            arrays = {name: np.empty(segment.shape, np.uint8) for name, segment in segments.items()}
            for name, segment in segments.items():
                _verify(file, segment, _bytes(arrays[name]))
            return arrays

        return self._use(load)

    def open(self) -> tuple[int, dict[str, Segment]] | None:
        """A descriptor, to be closed, and where the arrays are, verified in little memory; None as in `read`."""

        def load(file: FileIO, segments: Mapping[str, Segment]) -> tuple[int, dict[str, Segment]]:
            for segment in segments.values():
                _verify(file, segment, None)
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
                    _write(file, self.source, shapes, pieces)
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
                loaded = load(file, _read_header(file, self.source))
            with contextlib.suppress(OSError):  # another user's file, perhaps
                os.utime(self.path)  # in use: see _prune
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (_UnusableError, OSError) as error:
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
    return Entry(place, _digest([_FORMAT, decoding, name, options, stamps]))


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


def _write(file: FileIO, source: str, shapes: Mapping[str, Shape], pieces: Iterable[tuple[str, UInt8Array]]) -> None:
    checksums = dict.fromkeys(shapes, 0)
    header = _header(source, shapes, checksums)
    offsets = _offsets(len(header), shapes)
    ends = dict(offsets)
    for name, piece in pieces:
        content = _bytes(np.ascontiguousarray(piece))
        checksums[name] = zlib.crc32(content, checksums[name])
        file.seek(ends[name])
        ends[name] += len(content)
        while content:
            content = content[file.write(content) :]
    assert all(ends[name] - offsets[name] == math.prod(shape) for name, shape in shapes.items())
    file.seek(0)
    file.write(_header(source, shapes, checksums))
    file.truncate(max(ends.values()))


def _header(source: str, shapes: Mapping[str, Shape], checksums: Mapping[str, int]) -> bytes:
    """Equally long for all checksums."""
    arrays = [[name, list(shape), f"{checksums[name]:08x}"] for name, shape in shapes.items()]
    text = json.dumps({"source": source, "arrays": arrays}).encode()
    text += bytes(-(_START.size + len(text)) % _PAGE)
    return _START.pack(_MAGIC, len(text), zlib.crc32(text)) + text


def _read_header(file: FileIO, source: str) -> dict[str, Segment]:
    start = file.read(_START.size)
    if len(start) < _START.size or not start.startswith(_MAGIC):
        raise _UnusableError("is no file of this cache")
    _, length, crc = _START.unpack(start)
    if length > os.fstat(file.fileno()).st_size or zlib.crc32(text := file.read(length)) != crc:
        raise _UnusableError("is damaged")
    header = json.loads(text.rstrip(b"\0"))
    if header["source"] != source:
        raise _UnusableError("is out of date")
    shapes = {name: tuple(shape) for name, shape, _ in header["arrays"]}
    offsets = _offsets(_START.size + length, shapes)
    segments = {name: Segment(shapes[name], offsets[name], int(crc, 16)) for name, _, crc in header["arrays"]}
    if os.fstat(file.fileno()).st_size != max(s.offset + math.prod(s.shape) for s in segments.values()):
        raise _UnusableError("has the wrong length")
    return segments


def _offsets(start: int, shapes: Mapping[str, Shape]) -> dict[str, int]:
    offsets = {}
    for name, shape in shapes.items():
        offsets[name] = start
        start += -(-math.prod(shape) // _PAGE) * _PAGE
    return offsets


def _bytes(array: UInt8Array) -> memoryview:
    return array.reshape(-1).data


def _verify(file: FileIO, segment: Segment, into: memoryview | None) -> None:
    """Read an array, into memory or to no place, and compare its checksum."""
    file.seek(segment.offset)
    size, done, crc = math.prod(segment.shape), 0, 0
    scratch = memoryview(bytearray(min(size, _PIECE)))
    while done < size:
        space = scratch[: size - done] if into is None else into[done : done + _PIECE]
        if not (count := file.readinto(space)):
            raise _UnusableError("ends too early")
        crc = zlib.crc32(space[:count], crc)
        done += count
    if crc != segment.crc:
        raise _UnusableError("is damaged")


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
