"""How images lie in a chunk: the bytes that litdata writes for ``{"image": array, "target": number or array}``.

A chunk is the number of its images and the place of each of them and of its end, all uint32, and then the images. All
images of a part have one shape, so each takes as many bytes as any other, and none of these places is looked up. Of an
image there are the sizes of image and target, the image as litdata keeps an array (type, number of axes and their
lengths, values), and the target, an int64 or another such array.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

from fashseg.data.info import DataInfo, UInt8Array

MOST_CHUNK_BYTES = 2**31
_WORD, _LABEL = 4, 8  # bytes
_AT_ONCE = 2**20  # bytes that are looked at


class ChunkError(ValueError):
    """What is wrong with a chunk, as the end of a sentence that names it."""


@dataclass(frozen=True)
class Layout:
    """The bytes of an image and its target.

    Attributes:
        image: channels, height, width.
        target: height and width of a mask; empty where the target is a label.
    """

    image: tuple[int, int, int]
    target: tuple[int, ...]

    @classmethod
    def of(cls, info: DataInfo, image: tuple[int, int, int]) -> "Layout":
        """That of a data set whose images have a shape."""
        return cls(image, image[1:] if info.task == "segmentation" else ())

    @property
    def formats(self) -> list[str]:
        """What litdata calls them."""
        return ["numpy", "numpy" if self.target else "int"]

    @property
    def pixels(self) -> slice:
        """Where in the bytes of an image its pixels are."""
        first = 2 * _WORD + _header(self.image)
        return slice(first, first + prod(self.image))

    @property
    def labels(self) -> slice:
        """Where the target is: its first byte, or all pixels of a mask."""
        first = self.pixels.stop + (_header(self.target) if self.target else 0)
        return slice(first, first + prod(self.target))

    @property
    def image_bytes(self) -> int:
        """Bytes of an image with its target."""
        first: int = self.pixels.stop
        return first + (_header(self.target) + prod(self.target) if self.target else _LABEL)

    def first_byte(self, images: int) -> int:
        """Where in a chunk of so many images the first one begins."""
        return _WORD * (2 + images)

    def chunk_bytes(self, images: int) -> int:
        """Size of a chunk of so many images."""
        return self.first_byte(images) + images * self.image_bytes

    def check(self, read: Callable[[memoryview, int], None], images: int, crc: int, labels: "Labels") -> None:
        """Look at all of a chunk before any of it is used, in little memory.

        Args:
            read: fills memory with what stands in the chunk from a byte on.
            images: how many it holds; its size is that of so many.
            crc: its CRC-32.
            labels: those that a target may have.

        Raises:
            ChunkError: it has other content than the index says, or a label that is no class.
        """
        places = np.empty(self.first_byte(images), np.uint8)
        read(places.data, 0)
        found, known = zlib.crc32(places.data), True
        records = np.empty((max(1, min(images, _AT_ONCE // self.image_bytes)), self.image_bytes), np.uint8)
        for first in range(0, images, len(records)):
            some = records[: images - first]
            read(some.reshape(-1).data, len(places) + first * self.image_bytes)
            found = zlib.crc32(some.data, found)
            known = known and self._known(some, labels)
        if found != crc:
            raise ChunkError("is damaged: its checksum is not that of the index")
        if not known:
            raise ChunkError("has a target that is none of the classes")

    def _known(self, records: UInt8Array, labels: "Labels") -> bool:
        """Whether all targets are labels that may be there; a label that is a number has eight bytes."""
        rest = () if self.target else records[:, self.labels.stop :]
        return labels.hold(records[:, self.labels]) and not np.any(rest)


@dataclass(frozen=True)
class Labels:
    """The values that a label may have: a class, or the one that is ignored."""

    classes: int
    ignore: int | None

    @classmethod
    def of(cls, info: DataInfo) -> "Labels":
        """Those of a data set."""
        return cls(len(info.class_names), info.ignore)

    def hold(self, values: UInt8Array) -> bool:
        """Whether all of these are such."""
        known = values < self.classes
        return bool((known if self.ignore is None else known | (values == self.ignore)).all())


def _header(shape: tuple[int, ...]) -> int:
    return _WORD * (2 + len(shape))
