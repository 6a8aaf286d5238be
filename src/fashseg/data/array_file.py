"""Files that hold arrays as they are in memory, with a checksum of each; the cache is made of them.

Format: magic bytes, length and CRC-32 of a JSON header, the header, zeros up to a page; then each array, from the
start of a page on. CRC-32 finds every flipped bit and takes 5 to 40 ms for 50 to 270 MB.
"""

import json
import math
import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from io import FileIO
from typing import NamedTuple

import numpy as np

from fashseg.data.info import UInt8Array

Shape = tuple[int, ...]

FORMAT = 1
"""Its version."""

_MAGIC = b"fashseg\n"
_START = struct.Struct("<8sII")
_PAGE = 4096
_PIECE = 1 << 20  # bytes at once: what the processor's cache holds


class Segment(NamedTuple):
    """An array in a file: ``crc`` is the CRC-32 of its bytes."""

    shape: Shape
    offset: int
    crc: int


class UnusableError(Exception):
    """Why a file is not used; reads on from its name."""


def write(file: FileIO, source: str, shapes: Mapping[str, Shape], pieces: Iterable[tuple[str, UInt8Array]]) -> None:
    """Write a whole file.

    Args:
        file: empty.
        source: digest of all that the arrays follow from.
        shapes: of each array, by name.
        pieces: names and successive pieces, along the first axis, of these arrays.

    Raises:
        OSError: there is no room.
    """
    checksums = dict.fromkeys(shapes, 0)
    header = _header(source, shapes, checksums)
    offsets = _offsets(len(header), shapes)
    ends = dict(offsets)
    for name, piece in pieces:
        content = as_bytes(np.ascontiguousarray(piece))
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


def read_header(file: FileIO, source: str) -> dict[str, Segment]:
    """Where the arrays are, by name.

    Raises:
        UnusableError: it is damaged, or follows from another source.
    """
    start = file.read(_START.size)
    if len(start) < _START.size or not start.startswith(_MAGIC):
        raise UnusableError("is no file of this cache")
    _, length, crc = _START.unpack(start)
    if length > os.fstat(file.fileno()).st_size or zlib.crc32(text := file.read(length)) != crc:
        raise UnusableError("is damaged")
    header = json.loads(text.rstrip(b"\0"))
    if header["source"] != source:
        raise UnusableError("is out of date")
    shapes = {name: tuple(shape) for name, shape, _ in header["arrays"]}
    offsets = _offsets(_START.size + length, shapes)
    segments = {name: Segment(shapes[name], offsets[name], int(crc, 16)) for name, _, crc in header["arrays"]}
    if os.fstat(file.fileno()).st_size != max(s.offset + math.prod(s.shape) for s in segments.values()):
        raise UnusableError("has the wrong length")
    return segments


def _offsets(start: int, shapes: Mapping[str, Shape]) -> dict[str, int]:
    offsets = {}
    for name, shape in shapes.items():
        offsets[name] = start
        start += -(-math.prod(shape) // _PAGE) * _PAGE
    return offsets


def as_bytes(array: UInt8Array) -> memoryview:
    """The memory of an array in one piece."""
    return array.reshape(-1).data


def verify(file: FileIO, segment: Segment, into: memoryview | None) -> None:
    """Read an array, into memory or to no place, and compare its checksum.

    Raises:
        UnusableError: it is damaged.
    """
    file.seek(segment.offset)
    size, done, crc = math.prod(segment.shape), 0, 0
    scratch = memoryview(bytearray(min(size, _PIECE)))
    while done < size:
        space = scratch[: size - done] if into is None else into[done : done + _PIECE]
        if not (count := file.readinto(space)):
            raise UnusableError("ends too early")
        crc = zlib.crc32(space[:count], crc)
        done += count
    if crc != segment.crc:
        raise UnusableError("is damaged")


def mapped(file: FileIO, segment: Segment) -> UInt8Array:
    """An array as the system has the file in memory, once for all processes; what is written to it is not in the file.

    Raises:
        UnusableError: it is damaged.
    """
    verify(file, segment, None)
    return np.memmap(file, np.uint8, mode="c", offset=segment.offset, shape=segment.shape)
