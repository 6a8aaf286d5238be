"""Two objectives of a search against each other, with the trials that none is better than."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fashseg.figures.style import COLOURS, MUTED, PAPER, WIDTH, FloatArray, house_style, new_figure, shared_legend
from fashseg.figures.worth_seeing import score_limits, short_number

Limits = tuple[tuple[float, float], tuple[float, float]]
_MOST_NUMBERS = 12
_APART = 0.08  # of the picture, between two points whose numbers are written


@house_style()
def pareto_front(
    first: Sequence[float],
    second: Sequence[float],
    front: Sequence[bool],
    numbers: Sequence[int],
    labels: tuple[str, str],
    *,
    maximise: tuple[bool, bool] = (True, True),
) -> Figure:
    """A point for each of T trials; those of the front are filled, joined and named.

    Args:
        first: (T,) values of the objective that is drawn upwards.
        second: (T,) values of the one that is drawn to the right.
        front: (T,) whether a trial is on the Pareto front.
        numbers: (T,) of the trials.
        labels: names of both objectives.
        maximise: whether more is better, of both.
    """
    up, right = (np.array(values, dtype=float) for values in (first, second))
    chosen = np.array(front, bool)
    limits = score_limits([*first], maximise[0]), score_limits([*second], maximise[1])
    figure = new_figure(WIDTH, 3.6)
    axes = figure.subplots()
    if (~chosen).any():
        axes.scatter(right[~chosen], up[~chosen], s=14, c=MUTED, linewidths=0, alpha=0.8, label="another is better")
    order = np.flatnonzero(chosen)[np.argsort(right[chosen], kind="stable")]
    axes.plot(right[order], up[order], color=COLOURS["val"], marker="o", linewidth=1.4, label="Pareto front", zorder=4)
    named: list[int] = []
    for place in order:
        ways = [
            np.hypot(*(values[place] - values[other] for values in _on_paper(up, right, limits))) for other in named
        ]
        if len(order) > _MOST_NUMBERS or any(way < _APART for way in ways):
            continue  # the table has its number
        named.append(place)
        axes.annotate(
            str(numbers[place]),
            (right[place], up[place]),
            (5, 5),
            textcoords="offset points",
            fontsize=9,
            bbox={"fc": (PAPER, 0.8), "ec": "none", "pad": 0.4},
            zorder=5,
        )
    arrows = [f"{label} ({'more' if more else 'less'} is better)" for label, more in zip(labels, maximise, strict=True)]
    axes.set(ylabel=arrows[0], xlabel=arrows[1])
    axes.set(ylim=limits[0], xlim=limits[1])
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(short_number)
    shared_legend(figure)
    return figure


def _on_paper(up: FloatArray, right: FloatArray, limits: Limits) -> list[FloatArray]:
    """Both places as shares of their axes."""
    return [(values - low) / (high - low) for values, (low, high) in zip((up, right), limits, strict=True)]
