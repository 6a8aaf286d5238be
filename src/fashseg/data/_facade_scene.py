"""A street scene and its label mask, drawn together so that they cannot drift apart."""

from collections.abc import Sequence
from colorsys import hsv_to_rgb

import numpy as np
import numpy.typing as npt
from numpy.random import Generator
from PIL import Image, ImageDraw

OTHERS, FACADE, PILLAR, WINDOW, BALCONY = range(5)

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Points = Sequence[tuple[float, float]]

MARGIN = 32
"""Drawn around what the camera sees, so that a tilted view does not end at once."""


Range = tuple[float, float]

WARM, COLD = (0.0, 0.16), (0.5, 0.68)
"""Ranges of hue, of 0 to 1."""


def random_colour(
    rng: Generator, value: Range, saturation: Range = (0.0, 0.4), hue: Range | None = None, stray: float = 0.2
) -> Colour:
    """A colour by hue, saturation and value, each of 0 to 1 and evenly spread over its range.

    With probability ``stray`` the hue is any, so that no kind of thing is bound to a colour.
    """
    span = (0.0, 1.0) if hue is None or rng.random() < stray else hue
    tone = hsv_to_rgb(rng.uniform(*span), rng.uniform(*saturation), rng.uniform(*value))
    red, green, blue = (round(255 * channel) for channel in tone)
    return red, green, blue


def shaded(colour: Colour, factor: float) -> Colour:
    """The colour, ``factor`` times as bright, clipped to 255."""
    red, green, blue = (min(255, max(0, round(factor * channel))) for channel in colour)
    return red, green, blue


class Scene:
    """An RGB image and a mask of label values.

    Coordinates are pixels of a 256 by 256 view; :data:`MARGIN` more are drawn on each side. Every drawing method takes
    the ``label`` of what it draws; None leaves the mask as it is, for details that belong to what is beneath them.

    Args:
        view: height and width of the view.
        scale: canvas pixels per view pixel.
    """

    def __init__(self, view: int, scale: float) -> None:
        self.scale, self.low, self.high = scale, -MARGIN, view + MARGIN
        side = round((view + 2 * MARGIN) * scale)
        self.image, self.mask = Image.new("RGB", (side, side)), Image.new("L", (side, side), OTHERS)
        self._image, self._mask = ImageDraw.Draw(self.image), ImageDraw.Draw(self.mask)

    def box(self, box: Box, colour: Colour, label: int | None = None) -> None:
        """Fills a rectangle; nothing where it is thinner than a canvas pixel."""
        left, top, right, bottom = self._pixels(box)
        if right > left and bottom > top:
            self._image.rectangle((left, top, right - 1, bottom - 1), fill=colour)
            if label is not None:
                self._mask.rectangle((left, top, right - 1, bottom - 1), fill=label)

    def textured(self, box: Box, colour: Colour, grain: npt.NDArray[np.float32], label: int | None = None) -> None:
        """Fills a rectangle with a colour times a grid of factors, stretched over it."""
        left, top, right, bottom = self._pixels(box)
        if right > left and bottom > top:
            pixels = np.clip(grain[..., None] * np.array(colour, np.float32), 0, 255).astype(np.uint8)
            patch = Image.fromarray(pixels).resize((right - left, bottom - top), Image.Resampling.BILINEAR)
            self.image.paste(patch, (left, top))
            if label is not None:
                self._mask.rectangle((left, top, right - 1, bottom - 1), fill=label)

    def polygon(self, points: Points, colour: Colour, label: int | None = None) -> None:
        """Fills a closed outline."""
        corners = [(self._pixel(x), self._pixel(y)) for x, y in points]
        self._image.polygon(corners, fill=colour)
        if label is not None:
            self._mask.polygon(corners, fill=label)

    def ellipse(self, box: Box, colour: Colour, label: int | None = None) -> None:
        """Fills the ellipse that touches the sides of a box."""
        corners = self._pixels(box)
        self._image.ellipse(corners, fill=colour)
        if label is not None:
            self._mask.ellipse(corners, fill=label)

    def line(self, points: Points, colour: Colour, width: float = 1.0, label: int | None = None) -> None:
        """Strokes an open line."""
        corners = [(self._pixel(x), self._pixel(y)) for x, y in points]
        thick = max(1, round(width * self.scale))
        self._image.line(corners, fill=colour, width=thick)
        if label is not None:
            self._mask.line(corners, fill=label, width=thick)

    def _pixel(self, position: float) -> int:
        return round((position - self.low) * self.scale)

    def _pixels(self, box: Box) -> tuple[int, int, int, int]:
        left, top, right, bottom = (self._pixel(position) for position in box)
        return left, top, right, bottom
