"""How images lie in a chunk: the bytes that litdata writes for ``{"image": array, "target": number or array}``.

A chunk is the number of its images and the place of each of them and of its end, all uint32, and then the images. All
images of a part have one shape, so each takes as many bytes as any other, and none of these places is looked up. Of an
image there are the sizes of image and target, the image as litdata keeps an array (type, number of axes and their
lengths, values), and the target, an int64 or another such array.
"""

import zlib
from dataclasses import dataclass
from math import prod

import numpy as np

from fashseg.data.info import DataInfo, UInt8Array

MOST_CHUNK_BYTES = 2**31
_WORD, _LABEL = 4, 8  # bytes


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

    def check(self, chunk: UInt8Array, images: int, crc: int, allowed: UInt8Array) -> None:
        """Look at all of a chunk before any of it is used.

        Args:
            chunk: its bytes, as many as it is to have.
            images: how many it is to hold.
            crc: its CRC-32.
            allowed: (256,), bool: the values that a label may have.

        Raises:
            ChunkError: it has other content than the index says, or a label that is no class.
        """
        if zlib.crc32(chunk.data) != crc:
            raise ChunkError("is damaged: its checksum is not that of the index")
        records = chunk[self.first_byte(images) :].reshape(images, self.image_bytes)
        labels = records[:, self.labels] if self.target else records[:, self.pixels.stop :]
        known = allowed[labels if self.target else labels[:, 0]].all()
        if not known or (not self.target and labels[:, 1:].any()):
            raise ChunkError("has a target that is none of the classes")


def allowed_labels(info: DataInfo) -> UInt8Array:
    """(256,), bool: which values of a byte are a class, or are ignored."""
    allowed = np.arange(256) < len(info.class_names)
    if info.ignore is not None:
        allowed[info.ignore] = True
    return allowed  # type: ignore[return-value]


def _header(shape: tuple[int, ...]) -> int:
    return _WORD * (2 + len(shape))
