"""The confusion matrix."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fashseg.figures.style import GRID, IntArray, house_style, new_figure

_CELL, _MARGIN = 0.5, 1.3  # inches
# Of more classes the counts are not written: nobody reads a thousand of them, and drawing them takes minutes.
_MOST_WRITTEN = 30
_WITHOUT_NUMBERS = 12.0  # inches of the whole matrix then


@house_style()
def confusion_matrix(counts: IntArray, class_names: Sequence[str], unit: str = "images") -> Figure:
    """What each class is taken for: colour and percent are of a row, below is the count; of many classes colour alone.

    Args:
        counts: (C, C), rows are the truth, columns the prediction. A row without counts has no colour.
        class_names: C names.
        unit: what is counted.

    Raises:
        ValueError: counts are not C×C.
    """
    classes = len(class_names)
    if counts.shape != (classes, classes):
        raise ValueError(f"counts {counts.shape} are not of {classes}×{classes} classes")
    totals = counts.sum(1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    written = classes <= _MOST_WRITTEN
    cell = max(_CELL, 3 / max(classes, 1)) if written else _WITHOUT_NUMBERS / classes
    figure = new_figure(cell * classes + _MARGIN, cell * classes + _MARGIN + 0.45)
    axes = figure.subplots()
    lines = {"edgecolors": GRID, "linewidth": 0.6} if written else {"rasterized": True}
    mesh = axes.pcolormesh(np.ma.masked_invalid(shares), cmap="cividis", vmin=0, vmax=1, **lines)
    for truth, predicted in np.ndindex(*counts.shape) if written else ():
        _write(figure, predicted + 0.5, truth + 0.5, int(counts[truth, predicted]), float(shares[truth, predicted]))
    centres = np.arange(classes) + 0.5
    axes.set_xticks(centres, class_names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(centres, class_names)
    axes.tick_params(length=0)
    if not written:
        axes.tick_params(labelsize=max(2.5, min(9.5, 60 * cell)))
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_aspect("equal")
    axes.invert_yaxis()
    axes.set_xlabel("prediction")
    axes.set_ylabel("truth")
    scale = figure.colorbar(
        mesh, ax=axes, location="top", aspect=40, fraction=0.03, pad=0.02, format=PercentFormatter(1, decimals=0)
    )
    scale.set_label(f"share of the true class's {unit}")
    scale.outline.set_visible(False)
    return figure


def _write(figure: Figure, x: float, y: float, count: int, share: float) -> None:
    """Percent above the count, in whichever of black and white is read better on the cell."""
    if np.isnan(share):
        return
    # Luminance as WCAG 2 defines it; at 0.179 black and white have the same contrast, 4.6:1.
    parts = np.array(colormaps["cividis"](share)[:3])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    colour = "black" if linear @ (0.2126, 0.7152, 0.0722) > 0.179 else "white"
    # Left out of the layout, which they cannot change: laying out 200 texts takes longest.
    write = partial(figure.axes[0].text, ha="center", va="center", color=colour, in_layout=False)
    if count == 0:
        write(x, y, "0", fontsize=9)
        return
    write(x, y - 0.2, "<1%" if share < 0.01 else f"{100 * share:.0f}%", fontsize=10, weight="bold")
    write(x, y + 0.22, short(count), fontsize=9)


def short(count: int) -> str:
    """A count in four characters or less: 999, 1.2k, 12k, 3.4M."""
    number, suffixes = float(count), iter(("", "k", "M", "G", "T"))
    suffix = next(suffixes)
    while number >= 999.5:  # would be written as 1000
        number, suffix = number / 1000, next(suffixes)
    return f"{number:.1f}{suffix}" if suffix and number < 9.95 else f"{number:.0f}{suffix}"
