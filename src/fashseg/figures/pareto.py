"""Two objectives of a search against each other, with the trials that none is better than."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fashseg.figures.style import COLOURS, MUTED, PAPER, WIDTH, house_style, new_figure, shared_legend
from fashseg.figures.worth_seeing import score_limits, short_number

_MOST_NUMBERS = 12


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
    figure = new_figure(WIDTH, 3.6)
    axes = figure.subplots()
    if (~chosen).any():
        axes.scatter(right[~chosen], up[~chosen], s=14, c=MUTED, linewidths=0, alpha=0.8, label="another is better")
    order = np.flatnonzero(chosen)[np.argsort(right[chosen], kind="stable")]
    axes.plot(right[order], up[order], color=COLOURS["val"], marker="o", linewidth=1.4, label="Pareto front", zorder=4)
    for place in order[:_MOST_NUMBERS] if len(order) <= _MOST_NUMBERS else ():
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
    axes.set(ylim=score_limits([*first], maximise[0]), xlim=score_limits([*second], maximise[1]))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(short_number)
    shared_legend(figure)
    return figure
