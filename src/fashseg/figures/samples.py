"""Images with what they are taken for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fashseg.figures.style import COLOURS, UInt8, house_style

_ACROSS = 6
# Inches: a cell, its picture, and the lines of text below it; the title above a row.
_CELL, _IMAGE, _TEXT, _TITLE = 1.1, 0.92, 0.4, 0.3


@dataclass(frozen=True)
class Sample:
    """An image with its class and the predicted one.

    Attributes:
        image: uint8 (C, H, W), C is 1 or 3.
        truth: name of its class.
        predicted: name of the predicted class.
        probability: of the predicted class, 0 to 1.
    """

    image: UInt8
    truth: str
    predicted: str
    probability: float


def picture(image: UInt8) -> UInt8:
    """An image (C, H, W) as pixels (H, W, 3); C is 1, which becomes grey, or 3.

    Raises:
        ValueError: another shape.
    """
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        raise ValueError(f"image {image.shape} is not (1, H, W) or (3, H, W)")
    pixels: UInt8 = np.repeat(image, 3 // image.shape[0], axis=0).transpose(1, 2, 0)
    return np.ascontiguousarray(pixels)


@house_style()
def sample_sheet(rows: Sequence[tuple[str, Sequence[Sample]]]) -> Figure:
    """Titled rows of images, each with the predicted class and its probability below.

    Right ones have a thin blue frame and ✓, wrong ones a thick vermilion frame and ✗. After six a row goes on below.
    """
    across = min(_ACROSS, max((len(samples) for _, samples in rows), default=1)) or 1
    line = _IMAGE + _TEXT
    height = sum(_TITLE + line * math.ceil(len(samples) / across) for _, samples in rows) + 0.1
    width = _CELL * max(across, 3) + 0.1
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    top = 0.05
    for title, samples in rows:
        axes.text(0.1, top + _TITLE - 0.08, title, weight="bold", fontsize=10.5, va="bottom")
        top += _TITLE
        for place, sample in enumerate(samples):
            _draw(axes, 0.1 + place % across * _CELL, top + place // across * line, sample)
        top += line * math.ceil(len(samples) / across)
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="auto")
    axes.set_axis_off()
    return figure


def _draw(axes: Axes, left: float, top: float, sample: Sample) -> None:
    right = sample.truth == sample.predicted
    colour = COLOURS["right" if right else "wrong"]
    axes.imshow(picture(sample.image), extent=(left, left + _IMAGE, top + _IMAGE, top), aspect="auto")
    axes.add_patch(Rectangle((left, top), _IMAGE, _IMAGE, fc="none", ec=colour, lw=1.5 if right else 3))
    axes.text(left, top + _IMAGE + 0.17, f"{'✓' if right else '✗'} {sample.predicted}", fontsize=9)
    axes.text(left, top + _IMAGE + 0.32, f"{sample.probability:.2f}", fontsize=9)
