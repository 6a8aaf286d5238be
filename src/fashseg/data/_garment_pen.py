"""A pen that draws one garment's parts with a common position, rotation and brightness."""

from collections.abc import Sequence
from math import cos, sin

import numpy as np
from numpy.random import Generator
from PIL import ImageDraw

Points = Sequence[tuple[float, float]]


class Pen:
    """Draws in garment coordinates: the frame spans -1 to 1 in x and in y, y downwards.

    Args:
        draw: a square canvas of mode ``L``.
        size: its side in pixels.
        brightness: grey value from 0 to 255 of a part of tone 1.
        rng: chooses scale, position, rotation and shear, which all parts drawn by this pen share.
    """

    def __init__(self, draw: ImageDraw.ImageDraw, size: int, brightness: float, rng: Generator) -> None:
        turn, shear, scale = rng.normal(0, 0.045), rng.normal(0, 0.04), rng.uniform(0.87, 1.04)
        scale *= size / 2
        stretch = scale * rng.uniform(0.88, 1.06)
        self.draw, self.brightness, self.unit, self.turn = draw, brightness, scale, turn
        self.matrix = np.array(
            [[stretch * cos(turn), stretch * sin(turn)], [scale * (shear - sin(turn)), scale * cos(turn)]]
        )
        self.offset = size / 2 * (1 + rng.uniform(-0.07, 0.07, 2))

    def fill(self, points: Points, tone: float = 1.0, smooth: int = 0) -> None:
        """Fills a closed outline, its corners cut ``smooth`` times (Chaikin's algorithm)."""
        corners = np.asarray(points, np.float64)
        for _ in range(smooth):
            ahead = np.concatenate((corners[1:], corners[:1]))
            corners = np.stack((0.75 * corners + 0.25 * ahead, 0.25 * corners + 0.75 * ahead), 1).reshape(-1, 2)
        self.draw.polygon((corners @ self.matrix + self.offset).ravel().tolist(), fill=self._grey(tone))

    def line(self, points: Points, tone: float, width: float = 0.03) -> None:
        """Strokes an open line; ``width`` in garment coordinates."""
        ends = (np.asarray(points, np.float64) @ self.matrix + self.offset).ravel().tolist()
        self.draw.line(ends, fill=self._grey(tone), width=max(1, round(width * self.unit)), joint="curve")

    def both(self, points: Points, tone: float = 1.0, smooth: int = 0) -> None:
        """Fills an outline and its mirror image in x."""
        self.fill(points, tone, smooth)
        self.fill([(-x, y) for x, y in points], tone, smooth)

    def _grey(self, tone: float) -> int:
        return min(255, max(8, round(self.brightness * tone)))
