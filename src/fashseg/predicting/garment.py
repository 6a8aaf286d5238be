"""Photographs of garments as Fashion-MNIST has them: light on a black background, 28×28, the longest side filled.

Its images were made of product pictures on white: trimmed, brought to 28 pixels, centred, negated, made grey (Xiao,
Rasul and Vollgraf, 2017, figure 1). Here the background is what the border shows.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from fashseg.predicting.pictures import Picture, inside

UInt8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

_BORDER = 0.03  # of the sides, where the background is looked for
_CLOSE = 13  # levels of 255: a twentieth, as Fashion-MNIST's own trimming has it
_UNIFORM = 0.85  # share of the border that has to be close to its median
_MOST_SIDE = 256  # pixels: larger pictures are made smaller before they are looked at


class Done(NamedTuple):
    """What was done to a picture before the model saw it.

    Attributes:
        inverted: dark and light were exchanged.
        trimmed: cut to the object, the rest made black.
        why: in a few words.
    """

    inverted: bool = False
    trimmed: bool = False
    why: str = ""


@dataclass(frozen=True)
class Wishes:
    """What is to be done; None decides by the picture."""

    invert: bool | None = None
    trim: bool | None = None


class _Seen(NamedTuple):
    grey: UInt8
    object: Bools
    background: float
    uniform: bool


def fit_garment(picture: Picture, height: int, width: int, wishes: Wishes) -> tuple[Image.Image, Done]:
    """A picture as an image of Fashion-MNIST's kind.

    Args:
        picture: grey ones that have the size already are taken as they are, unless something is wished.
        height: of the image.
        width: of the image.
        wishes: what is to be done.

    Returns:
        The image, in Pillow's mode ``L``, and what was done.
    """
    if picture.size == (height, width) and wishes == Wishes() and picture.opacity is None and _is_grey(picture.image):
        return picture.image if picture.image.mode == "L" else picture.image.convert("L"), Done(why="as it is")
    seen = _look(picture)
    found = bool(seen.object.any())
    trimmed = found and (seen.uniform if wishes.trim is None else wishes.trim)
    inverted = _is_dark(seen) if wishes.invert is None else wishes.invert
    grey = 255 - seen.grey if inverted else seen.grey
    background = round(255 - min(seen.background, 255) if inverted else seen.background)
    if trimmed:
        rows, columns = (_extent(np.asarray(seen.object.any(axis))) for axis in (1, 0))
        grey, background = np.where(seen.object, grey, 0)[rows, columns].astype(np.uint8), 0
    image = inside(Image.fromarray(grey), (width, height), Image.Resampling.BICUBIC)
    canvas = Image.new("L", (width, height), background)
    canvas.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return canvas, Done(inverted, trimmed, _reason(found, seen.uniform))


def _is_grey(image: Image.Image) -> bool:
    if image.mode == "L":
        return True
    red, green, blue = np.asarray(image).transpose(2, 0, 1)
    return bool((red == green).all() and (green == blue).all())


def _look(picture: Picture) -> _Seen:
    """Where the object is, and what is around it."""
    image, opacity = picture.image, picture.opacity
    if max(image.size) > _MOST_SIDE:
        image = inside(image, (_MOST_SIDE, _MOST_SIDE), Image.Resampling.BOX)
        opacity = opacity.resize(image.size, Image.Resampling.BOX) if opacity else None
    grey = np.asarray(image.convert("L"))
    if opacity is not None:
        seen = np.asarray(opacity) > 127
        if seen.any() and not seen.all():
            return _Seen(grey, seen, 256.0, uniform=True)  # white, whatever the garment: such were the originals
    colours = np.atleast_3d(np.asarray(image)).astype(np.int16)
    border = np.concatenate([part.reshape(-1, colours.shape[2]) for part in _borders(colours)])
    middle = np.median(border, axis=0)
    off = np.abs(border - middle).max(1)
    # Noise of a photograph: nine tenths of the background are to be taken for it, whatever its texture.
    close = max(_CLOSE, 1.5 * float(np.quantile(off, 0.9))) if np.quantile(off, 0.9) < 3 * _CLOSE else _CLOSE
    different = _without_specks(np.abs(colours - middle).max(2) > close)
    uniform = float((off <= close).mean()) >= _UNIFORM
    return _Seen(grey, different, float(np.median(np.concatenate([p.ravel() for p in _borders(grey)]))), uniform)


def _without_specks(there: Bools) -> Bools:
    if min(there.shape) < 64:
        return there
    size = 3 if min(there.shape) < 400 else 5
    return np.asarray(Image.fromarray(there.astype(np.uint8)).filter(ImageFilter.MedianFilter(size))).astype(bool)


def _borders(pixels: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    height, width = pixels.shape[:2]
    y, x = max(1, round(_BORDER * height)), max(1, round(_BORDER * width))
    return [pixels[:y], pixels[-y:], pixels[:, :x], pixels[:, -x:]]


def _is_dark(seen: _Seen) -> bool:
    """Whether the object is darker than what is around it."""
    levels = seen.grey[seen.object]
    if not levels.size:
        return seen.background > 127
    return bool(np.median(levels) < seen.background)


def _extent(there: Bools) -> slice:
    places = np.flatnonzero(there)
    return slice(int(places[0]), int(places[-1]) + 1)


def _reason(found: bool, uniform: bool) -> str:
    if not found:
        return "there is nothing in it"
    return "its background is uniform" if uniform else "its background is not uniform"
