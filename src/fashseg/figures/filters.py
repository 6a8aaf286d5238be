"""The filters of the first layer."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fashseg.figures.style import MUTED, WIDTH, FloatArray, house_style, new_figure

_GAP = 0.2  # of a filter, between two


@house_style()
def filters(before: FloatArray | None, after: FloatArray) -> Figure:
    """The filters before training beside those after it, each at the same place and on the same scale.

    Args:
        before: (F, C, h, w), the weights before training, if they are known.
        after: (F, C, h, w), the weights now. C is 1, drawn in grey with 0 in the middle, or 3, drawn as colours.

    Raises:
        ValueError: other channels, or two different shapes.
    """
    if after.ndim != 4 or after.shape[1] not in (1, 3):
        raise ValueError(f"filters {after.shape} are not (F, 1, h, w) or (F, 3, h, w)")
    if before is not None and before.shape != after.shape:
        raise ValueError(f"filters {before.shape} before are not those after, {after.shape}")
    # Alone they may be of any moment.
    blocks = {"": after} if before is None else {"before training": before, "after training": after}
    limit = max(float(np.abs(block).max(initial=0)) for block in blocks.values()) or 1.0
    columns = _columns(len(after), len(blocks))
    lines = math.ceil(len(after) / columns)
    height, width = after.shape[2:]
    figure = new_figure(WIDTH, (WIDTH - 0.3) / len(blocks) * (lines * height) / (columns * width) + 0.9)
    panels = figure.subplots(1, len(blocks), squeeze=False, gridspec_kw={"wspace": 0.08})[0]
    for axes, (name, block) in zip(panels, blocks.items(), strict=True):
        axes.set_title(name)
        axes.set_axis_off()
        _draw(axes, 0.5 + block / (2 * limit), columns)
    grey = ScalarMappable(Normalize(-limit, limit), "grey")
    scale = figure.colorbar(grey, ax=list(panels), location="bottom", aspect=30, fraction=0.04, pad=0.03)
    scale.set_ticks([-limit, 0, limit], labels=[f"−{limit:.2g}", "0", f"{limit:.2g}"])
    scale.set_label("weight" if after.shape[1] == 1 else "weight, of each of red, green and blue")
    return figure


def _columns(count: int, blocks: int) -> int:
    """As many as make blocks beside each other about square together, and full lines where that is near."""
    square = max(1, math.ceil(math.sqrt(count / blocks)))
    return next((n for n in range(square, 2 * square) if count % n == 0), square)


def _draw(axes: Axes, filters: FloatArray, columns: int) -> None:
    """Filters (F, C, h, w) of 0 to 1, framed, so that white is seen on white and black on black."""
    count, _, height, width = filters.shape
    for place, weights in enumerate(filters):
        left, top = place % columns * (1 + _GAP) * width, place // columns * (1 + _GAP) * height
        colours = np.broadcast_to(weights.transpose(1, 2, 0), (height, width, 3))
        axes.imshow(colours, extent=(left, left + width, top + height, top))
        axes.add_patch(Rectangle((left, top), width, height, fc="none", ec=MUTED, lw=0.6))
    lines = math.ceil(count / columns)
    axes.set_xlim(-0.05, (columns * (1 + _GAP) - _GAP) * width + 0.05)
    axes.set_ylim((lines * (1 + _GAP) - _GAP) * height + 0.05, -0.05)
