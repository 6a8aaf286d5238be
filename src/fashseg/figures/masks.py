"""Masks: coloured, laid over the image, compared with the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from PIL import ImageColor

from fashseg.figures.samples import picture
from fashseg.figures.style import COLOURS, INK, MUTED, IntArray, UInt8, house_style

BoolArray = npt.NDArray[np.bool_]

NOT_COUNTED = "#BDC3C9"
_PANELS = ("original", "prediction", "ground truth", "errors")
# Inches: a picture, between two, the title above a row, the head of the columns, a line of the legend.
_IMAGE, _GAP, _TITLE, _HEAD, _LEGEND = 1.5, 0.08, 0.32, 0.25, 0.26


@dataclass(frozen=True)
class Triptych:
    """An image with its predicted and its true mask.

    Attributes:
        image: uint8 (3, H, W).
        prediction: labels (H, W).
        truth: labels (H, W).
        title: what it is.
        ignored: bool (H, W), where the truth counts for nothing; None where all of it counts.
    """

    image: UInt8
    prediction: UInt8
    truth: UInt8
    title: str
    ignored: BoolArray | None = None


def true_pixels(item: Triptych, palette: Sequence[str]) -> UInt8:
    """The true mask coloured, (H, W, 3): grey where it counts for nothing."""
    if item.ignored is None:
        return colorize(item.truth, palette)
    pixels = colorize(np.where(item.ignored, 0, item.truth), palette)
    pixels[item.ignored] = ImageColor.getrgb(NOT_COUNTED)
    return pixels


def colorize(mask: IntArray, palette: Sequence[str]) -> UInt8:
    """A mask (H, W) as pixels (H, W, 3), each label in its colour ``#RRGGBB``.

    Raises:
        ValueError: a label without a colour.
    """
    if mask.size and not 0 <= int(mask.min()) <= int(mask.max()) < len(palette):
        raise ValueError(f"labels {mask.min()} to {mask.max()}, but {len(palette)} colours")
    colours = np.array([ImageColor.getrgb(colour) for colour in palette], dtype=np.uint8)
    pixels: UInt8 = colours[mask]
    return pixels


def overlay(image: UInt8, mask: IntArray, palette: Sequence[str], opacity: float = 0.5) -> UInt8:
    """A coloured mask (H, W) over its image (3, H, W), as pixels (H, W, 3); opacity 0 shows the image, 1 the mask."""
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity {opacity} is not between 0 and 1")
    _same_size(image, mask)
    mixed = (1 - opacity) * picture(image) + opacity * colorize(mask, palette)
    return np.rint(mixed).astype(np.uint8)


def error_map(image: UInt8, prediction: IntArray, truth: IntArray, ignored: BoolArray | None = None) -> UInt8:
    """Where a prediction is wrong, as pixels (H, W, 3).

    Args:
        image: (3, H, W); right pixels show it in pale grey.
        prediction: labels (H, W).
        truth: labels (H, W); other labels than these are shown in magenta.
        ignored: bool (H, W), where nothing is wrong; None is nowhere.
    """
    _same_size(image, prediction)
    _same_size(image, truth)
    grey = picture(image) @ np.array([0.299, 0.587, 0.114])
    # 150 to 255: always lighter than the colour of errors, so that they differ without colour as well.
    pixels = np.repeat((150 + grey * (105 / 255))[:, :, None], 3, axis=2).round().astype(np.uint8)
    wrong = prediction != truth
    pixels[wrong if ignored is None else wrong & ~ignored] = ImageColor.getrgb(COLOURS["error"])
    return pixels


def _same_size(image: UInt8, mask: IntArray) -> None:
    if image.shape[1:] != mask.shape:
        raise ValueError(f"mask {mask.shape} is not of the size of its image, {image.shape}")


@house_style()
def triptychs(items: Sequence[Triptych], class_names: Sequence[str], palette: Sequence[str]) -> Figure:
    """Rows of original, prediction, ground truth and errors, below a legend of the classes."""
    entries = [*zip(class_names, palette, strict=True), ("wrong", COLOURS["error"])]
    if any(item.ignored is not None for item in items):
        entries.append(("not counted", NOT_COUNTED))
    lines = -(-len(entries) // 4)
    heights = [_IMAGE * item.image.shape[1] / item.image.shape[2] for item in items]
    width = 0.2 + 4 * _IMAGE + 3 * _GAP
    height = lines * _LEGEND + 0.1 + _HEAD + sum(heights) + _TITLE * len(items) + 0.1
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="auto")
    axes.set_axis_off()
    patches = [Patch(fc=colour, ec=MUTED, lw=0.8, label=name) for name, colour in entries]
    axes.legend(handles=patches, loc="upper left", ncols=4, borderaxespad=0.3, handlelength=1.2)
    top = lines * _LEGEND + 0.1 + _HEAD
    for column, name in enumerate(_PANELS):
        axes.text(0.1 + column * (_IMAGE + _GAP), top - 0.05, name, color=MUTED, fontsize=9.5)
    for item, size in zip(items, heights, strict=True):
        axes.text(0.1, top + _TITLE - 0.09, item.title, weight="bold")
        top += _TITLE
        _row(axes, top, size, item, palette)
        top += size
    return figure


def _row(axes: Axes, top: float, height: float, item: Triptych, palette: Sequence[str]) -> None:
    panels = (
        picture(item.image),
        colorize(item.prediction, palette),
        true_pixels(item, palette),
        error_map(item.image, item.prediction, item.truth, item.ignored),
    )
    for column, pixels in enumerate(panels):
        left = 0.1 + column * (_IMAGE + _GAP)
        axes.imshow(pixels, extent=(left, left + _IMAGE, top + height, top), aspect="auto")
        axes.add_patch(Rectangle((left, top), _IMAGE, height, fc="none", ec=INK, lw=0.5))
