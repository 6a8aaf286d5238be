"""Masks as palette pictures and laid over photographs of any size, in little memory. Imports no torch."""

import io
from collections.abc import Sequence

from PIL import Image, ImageColor

from fashseg.data.info import DataInfo, UInt8Array

_ROWS = 256  # that are blended at once
_MOST_JPEG_SIDE = 65_500  # libjpeg's JPEG_MAX_DIMENSION


def palette_of(info: DataInfo) -> tuple[str, ...]:
    """A colour ``#RRGGBB`` for each label: the data set's own, else those of PASCAL VOC, all different."""
    return info.palette or tuple(_voc(label) for label in range(len(info.class_names)))


def _voc(label: int) -> str:
    """Bits 0, 3, 6, ... of the label are the highest ones of red, 1, 4, ... of green, 2, 5, ... of blue (VOCdevkit)."""
    red, green, blue = (sum((label >> 3 * i + c & 1) << 7 - i for i in range(3)) for c in range(3))
    return f"#{red:02X}{green:02X}{blue:02X}"


def palette_image(mask: UInt8Array, palette: Sequence[str]) -> Image.Image:
    """A mask (H, W) of labels as a picture of Pillow's mode ``P``: its values are the labels."""
    image = Image.fromarray(mask)
    image.putpalette([value for colour in palette for value in ImageColor.getrgb(colour)[:3]])
    return image


def lay_over(image: Image.Image, painted: Image.Image, opacity: float = 0.5) -> Image.Image:
    """A palette picture over a photograph of its size, in whose place it comes: a second one would take as much memory.

    Args:
        image: the photograph; one of mode ``RGB`` is changed.
        painted: of mode ``P``.
        opacity: 0 shows the photograph, 1 the palette picture.

    Returns:
        Both, of mode ``RGB``.
    """
    image = image if image.mode == "RGB" else image.convert("RGB")
    for top in range(0, image.height, _ROWS):
        box = (0, top, image.width, min(image.height, top + _ROWS))
        image.paste(Image.blend(image.crop(box), painted.crop(box).convert("RGB"), opacity), box)
    return image


def png(image: Image.Image, *, quickly: bool = False) -> bytes:
    """A PNG file; one that is made quickly is larger."""
    content = io.BytesIO()
    image.save(content, "PNG", compress_level=1 if quickly else 6)
    return content.getvalue()


def photograph(image: Image.Image) -> tuple[str, bytes]:
    """Suffix and content of a JPEG file; of a PNG file where the picture is too long for JPEG."""
    if max(image.size) > _MOST_JPEG_SIDE:
        return ".png", png(image)
    content = io.BytesIO()
    image.save(content, "JPEG", quality=90)
    return ".jpg", content.getvalue()
