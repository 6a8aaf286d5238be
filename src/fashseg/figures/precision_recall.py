"""Precision-recall curves, a small panel for each class."""

import math
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fashseg.figures.style import COLOURS, INK, MUTED, WIDTH, FloatArray, house_style, new_figure, shared_legend

_COLUMNS = 2
_HAIR = 1 / 150  # of an axis, which is 2 inches


@house_style()
def precision_recall(
    curves: Mapping[str, tuple[FloatArray, FloatArray]],
    average_precision: Mapping[str, float],
    chance: Mapping[str, float],
) -> Figure:
    """Precision over recall, class by class; the area below a curve is the average precision.

    Args:
        curves: by class, recall (T,) rising, and precision (T,) at it; nan where the class is absent.
        average_precision: by class, written above the curve.
        chance: by class, the precision of guessing: the share of positives. Dotted.
    """
    lines = math.ceil(len(curves) / _COLUMNS)
    figure = new_figure(WIDTH, 1.65 * lines + 0.8)
    if not lines:
        return figure
    grid = figure.subplots(lines, _COLUMNS, sharex=True, sharey=True, squeeze=False)
    for panel, (name, path) in zip(grid.flat, curves.items(), strict=False):
        _panel(panel, *path, name, average_precision.get(name, math.nan), chance.get(name, math.nan))
    for panel in grid.flat[len(curves) :]:
        panel.remove()
    for panel in grid.flat[max(0, len(curves) - _COLUMNS) : len(curves)]:
        panel.tick_params(labelbottom=True)
    grid[0, 0].set(xlim=(0, 1), ylim=(0, 1.02), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    grid[0, 0].xaxis.set_major_formatter("{x:g}")
    grid[0, 0].yaxis.set_major_formatter("{x:g}")
    figure.supxlabel("recall", fontsize=10)
    figure.supylabel("precision", fontsize=10)
    shared_legend(figure)
    return figure


def _panel(axes: Axes, recall: FloatArray, precision: FloatArray, name: str, average: float, chance: float) -> None:
    absent = math.isnan(average)
    axes.set_title(name)
    axes.set_title(
        "absent" if absent else f"AP {average:.3f}", loc="right", weight="normal", color=MUTED if absent else INK
    )
    recall, precision = _thinned(recall, precision)
    # Steps towards lower recall: the area is the sum that defines average precision.
    axes.plot(recall, precision, color=COLOURS["train"], drawstyle="steps-pre", label="network", clip_on=False)
    axes.fill_between(recall, precision, step="pre", color=COLOURS["train"], alpha=0.18, linewidth=0)
    if not math.isnan(chance):
        axes.axhline(chance, color=INK, linestyle=":", linewidth=1.4, label="chance")


def _thinned(recall: FloatArray, precision: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The first point, the last, and between them those that are further than a hair from the one before."""
    kept = [0]
    for place in range(1, len(recall) - 1):
        if max(abs(recall[place] - recall[kept[-1]]), abs(precision[place] - precision[kept[-1]])) >= _HAIR:
            kept.append(place)
    kept += [len(recall) - 1] if len(recall) > 1 else []
    return recall[kept], precision[kept]
