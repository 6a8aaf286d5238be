"""Runs beside each other: curves over one another, classes of two runs."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fashseg.figures.curves import Row
from fashseg.figures.style import (
    COLOURS,
    INK,
    MUTED,
    SERIES,
    WIDTH,
    Look,
    house_style,
    look,
    new_figure,
    shared_legend,
)


@house_style()
def overlaid_curves(runs: Mapping[str, Sequence[Row]], columns: Sequence[tuple[str, str]]) -> Figure:
    """The curves of several runs, a panel for each column of ``metrics.csv``.

    Args:
        runs: rows by the name of the run; up to eight are told apart, of more the first alone, the others are grey.
        columns: name of the column and title of its panel.
    """
    figure = new_figure(WIDTH, 2.1 * len(columns) + 0.4 + 0.22 * min(len(runs), len(SERIES)))
    panels = figure.subplots(max(1, len(columns)), 1, sharex=True, squeeze=False)[:, 0]
    many = len(runs) > len(SERIES)
    for panel, (column, title) in zip(panels, columns, strict=False):
        panel.set_title(title)
        for place, (name, rows) in enumerate(runs.items()):
            points = [(row["epoch"], value) for row in rows if (value := row.get(column)) is not None]
            if not points:
                continue
            behind = many and place > 0
            colour, style, marker, _ = Look(MUTED, "-", "", "") if behind else look(place)
            panel.plot(
                *zip(*points, strict=True),
                color=colour,
                linestyle=style,
                marker=marker,
                markevery=max(1, len(points) // 8),
                linewidth=1.0 if behind else 1.8,
                zorder=2 if behind else 3,
                label=name if not behind else "other runs" if place == 1 else "_",
            )
    panels[-1].set_xlabel("epoch")
    panels[-1].xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
    shared_legend(figure, columns=1)
    return figure


@house_style()
def differences(
    names: Sequence[str], difference: Sequence[float], low: Sequence[float], high: Sequence[float], label: str
) -> Figure:
    """Differences class by class, each with its 95% interval; those that cannot be noise are filled and bold.

    Args:
        names: of the classes.
        difference: by class, nan where there is none.
        low: lower ends of the intervals.
        high: upper ends.
        label: what is subtracted from what.
    """
    figure = new_figure(WIDTH, 0.34 * len(names) + 1.1)
    axes = figure.subplots()
    axes.axvline(0, color=INK, linewidth=1.2)
    axes.set_yticks(range(len(names)), names)
    seen = set()
    for place, (middle, start, end) in enumerate(zip(difference, low, high, strict=True)):
        if np.isnan(middle):
            axes.annotate(
                "absent", (0, place), (4, 0), textcoords="offset points", va="center", color=MUTED, style="italic"
            )
            continue
        certain = start > 0 or end < 0
        colour = COLOURS["train"] if certain else MUTED
        axes.hlines(place, start, end, color=colour, linewidth=2.6 if certain else 1.4)  # ends where the interval ends
        axes.plot(
            [middle],
            [place],
            linestyle="",
            color=colour,
            marker="D" if certain else "o",
            markersize=7 if certain else 6,
            markerfacecolor=colour if certain else "none",
            markeredgewidth=1.4,
            label=None if certain in seen else "interval without 0" if certain else "interval with 0: may be noise",
        )
        seen.add(certain)
        if certain:
            axes.get_yticklabels()[place].set_fontweight("bold")
    ends = [abs(value) for value in (*low, *high, *difference) if np.isfinite(value)]
    limit = 1.08 * max(ends, default=0) or 1
    axes.set(xlim=(-limit, limit), ylim=(len(names) - 0.5, -0.5), xlabel=label)
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    shared_legend(figure)
    return figure
