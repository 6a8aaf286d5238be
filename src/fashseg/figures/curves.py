"""Training curves: loss, accuracy, score and learning rate over the epochs."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fashseg.figures.style import COLOURS, INK, LINE_STYLES, WIDTH, house_style, new_figure, shared_legend

Row = Mapping[str, float | None]

# Column prefix: name, colour role, line style, marker.
_LINES: dict[str, tuple[str, str, Any, str]] = {
    "train_{}_running": ("training, running", "train_running", LINE_STYLES[2], "^"),
    "train_{}": ("training, end of epoch", "train", LINE_STYLES[1], "s"),
    "val_{}": ("validation", "val", LINE_STYLES[0], "o"),
}
_MANY = 30  # epochs, above which markers would hide the lines


@house_style()
def curves(rows: Sequence[Row], score: str) -> Figure:
    """Loss, accuracy, the validation score where that is not the accuracy, and the learning rate over the epochs.

    Args:
        rows: those of ``metrics.csv``, an epoch each; a column may be missing or None anywhere.
        score: name of the task's score, as in the column ``val_<score>``.

    Returns:
        Panels below each other, of what there is in the rows.
    """
    accuracy = "accuracy" if score == "accuracy" else "pixel accuracy"
    panels = [("loss", "loss"), ("accuracy", accuracy)]
    panels += [(score, score.replace("_", " "))] if score != "accuracy" else []
    panels = [(key, title) for key, title in panels if any(_present(rows, line.format(key)) for line in _LINES)]
    rate = _present(rows, "learning_rate")
    heights = [1.9] * len(panels) + [1.0] * rate
    figure = new_figure(WIDTH, sum(heights) + 0.9)
    if not heights:
        return figure
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for panel, (key, title) in zip(axes, panels, strict=False):
        for column, (name, role, style, marker) in _LINES.items():
            _line(panel, rows, column.format(key), name, COLOURS[role], style, marker)
        panel.set_title(title)
    if rate:
        _line(axes[-1], rows, "learning_rate", "_", INK, "-", "o")
        axes[-1].set_title("learning rate")
        axes[-1].yaxis.set_major_formatter("{x:g}")
        axes[-1].set_ylim(bottom=0)
    axes[-1].set_xlabel("epoch")
    axes[-1].xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
    shared_legend(figure)
    return figure


def _present(rows: Sequence[Row], column: str) -> bool:
    return any(row.get(column) is not None for row in rows)


def _line(axes: Axes, rows: Sequence[Row], column: str, name: str, colour: str, style: Any, marker: str) -> None:
    points = [(row["epoch"], value) for row in rows if (value := row.get(column)) is not None]
    if points:
        few = len(points) <= _MANY
        x, y = zip(*points, strict=True)
        axes.plot(x, y, color=colour, linestyle=style, marker=marker if few else "", markersize=4, label=name)
