"""How a search came to its best value: over the trials, and over what they took."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fashseg.figures.style import (
    COLOURS,
    INK,
    WIDTH,
    FloatArray,
    house_style,
    new_figure,
    shared_legend,
)
from fashseg.figures.worth_seeing import score_limits

Kinds = npt.NDArray[Any]
_MANY = 200  # trials, above which markers are small


@house_style()
def search_history(
    numbers: Sequence[int],
    values: Sequence[float],
    states: Sequence[str],
    label: str,
    *,
    maximise: bool = True,
    spent: Sequence[float] | None = None,
    spent_label: str = "epochs of all trials",
) -> Figure:
    """The value of each trial and the best so far, over the trials and over what was spent.

    Args:
        numbers: of the T trials.
        values: (T,) of the objective: of a finished trial its value, of a pruned one its last score, else nan.
        states: (T,) ``finished``, ``pruned``, ``failed`` or another one, which is not drawn.
        label: name of the objective.
        maximise: whether more is better.
        spent: (T,) what all trials had taken together when this one ended, nan where it has not; None without it.
        spent_label: name of that.
    """
    known = np.array(values, dtype=float)
    kinds = np.array(states, dtype=object)
    finished = np.where(kinds == "finished", known, np.nan)
    limits = score_limits([*finished[np.isfinite(finished)]] or [*known], maximise)
    over_spent = spent is not None and bool(np.isfinite(np.array(spent, dtype=float)[np.isfinite(finished)]).any())
    figure = new_figure(WIDTH, 4.6 if over_spent else 2.9)
    panels = figure.subplots(1 + over_spent, 1, squeeze=False, height_ratios=[3, 2][: 1 + over_spent])
    top = panels[0, 0]
    _points(top, np.array(numbers, dtype=float), known, kinds, limits, maximise)
    _best_so_far(top, np.array(numbers, dtype=float), finished, maximise, "best so far")
    top.set(xlabel="trial", ylabel=label, ylim=limits)
    top.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
    if over_spent:
        below = panels[1, 0]
        reached = _best_so_far(below, np.array(spent, dtype=float), finished, maximise, "_")
        below.set(xlabel=spent_label, ylabel="best so far", ylim=score_limits(reached, maximise))
        below.set_xlim(left=0)
        below.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
    shared_legend(figure)
    return figure


def _points(
    axes: Axes, numbers: FloatArray, values: FloatArray, states: Kinds, limits: tuple[float, float], maximise: bool
) -> None:
    """Points and crosses; what is off the axis is at its edge."""
    size, alpha = (12.0, 0.5) if len(values) > _MANY else (22.0, 1.0)
    edge, arrow = (limits[0], "v") if maximise else (limits[1], "^")
    off = (values < limits[0]) | (values > limits[1])
    finished, pruned, failed = (states == state for state in ("finished", "pruned", "failed"))
    kinds = (
        (finished & ~off & np.isfinite(values), values, COLOURS["train"], "o", size, "finished"),
        (finished & off, None, COLOURS["train"], arrow, size, "finished, worse than shown"),
        (pruned & np.isfinite(values), np.clip(values, *limits), COLOURS["val"], "x", size, "pruned: its last score"),
        (failed, None, INK, "|", 40.0, "failed"),
    )
    for chosen, heights, colour, marker, area, name in kinds:
        if chosen.any():
            height = np.full(chosen.sum(), edge) if heights is None else heights[chosen]
            width = 0 if marker in "ov^" else 1.2
            axes.scatter(
                numbers[chosen],
                height,
                s=area,
                c=colour,
                marker=marker,
                linewidths=width,
                alpha=alpha if marker == "x" else 1.0,
                label=name,
                zorder=3,
                clip_on=False,
            )


def _best_so_far(axes: Axes, places: FloatArray, values: FloatArray, maximise: bool, name: str) -> list[float]:
    """A step at each trial that is better than all before it, by place; returns what was reached."""
    usable = np.isfinite(places) & np.isfinite(values)
    order = np.argsort(places[usable], kind="stable")
    x, y = places[usable][order], values[usable][order]
    if not len(x):
        return []
    best = np.maximum.accumulate(y) if maximise else np.minimum.accumulate(y)
    furthest = places[np.isfinite(places)].max()  # trials that were pruned since have not changed it
    if furthest > x[-1]:
        x, best = np.append(x, furthest), np.append(best, best[-1])
    marker = "o" if len(x) == 1 else ""
    axes.plot(
        x, best, drawstyle="steps-post", marker=marker, color=COLOURS["test"], linewidth=2.2, zorder=2.5, label=name
    )
    return [float(value) for value in best]
