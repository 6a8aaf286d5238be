"""Options one by one: the score against each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from fashseg.figures.style import COLOURS, INK, WIDTH, FloatArray, house_style, new_figure, shared_legend
from fashseg.figures.worth_seeing import score_limits, short_number

_COLUMNS = 2
_MANY = 200  # points, above which they are small
_MOST_NAMES = 10  # of an axis
_LETTERS = 14  # of a name on an axis


@dataclass(frozen=True)
class Axis:
    """An option's value in each trial.

    Attributes:
        values: numbers, or words; None where a trial has none.
        log: whether numbers are drawn on a logarithmic axis.
        order: of the words; those that are not in it come behind, by the alphabet.
    """

    values: Sequence[float | str | None]
    log: bool = False
    order: Sequence[str] = ()

    @property
    def numeric(self) -> bool:
        """Whether all values there are are numbers."""
        given = [value for value in self.values if value is not None]
        return bool(given) and all(isinstance(value, (int, float)) for value in given)


@house_style()
def slices(
    axes: Mapping[str, Axis],
    scores: Sequence[float],
    label: str,
    *,
    maximise: bool = True,
    pruned: Sequence[bool] | None = None,
) -> Figure:
    """The score against each option, a panel each, two beside each other; the best is a star.

    Args:
        axes: by option its value in each of the T trials.
        scores: (T,), nan where there is none.
        label: name of the score.
        maximise: whether more is better.
        pruned: (T,) whether the score is that of a trial that was ended early; None: none was.

    Raises:
        ValueError: an option has not T values.
    """
    wrong = [name for name, axis in axes.items() if len(axis.values) != len(scores)]
    if wrong:
        raise ValueError(f"{len(scores)} scores, but another number of values of {', '.join(wrong)}")
    known = np.array(scores, dtype=float)
    early = np.zeros(len(known), bool) if pruned is None else np.array(pruned, bool)
    ended = np.where(early, np.nan, known)
    limits = score_limits([*ended[np.isfinite(ended)]] or [*known], maximise)
    rows = max(1, math.ceil(len(axes) / _COLUMNS))
    figure = new_figure(WIDTH, 2.15 * rows + 0.5)
    panels = figure.subplots(rows, _COLUMNS, sharey=True, squeeze=False)
    for panel in panels.flat[len(axes) :]:
        panel.set_visible(False)
    best = int((np.nanargmax if maximise else np.nanargmin)(ended)) if np.isfinite(ended).any() else None
    for panel, (name, axis) in zip(panels.flat, axes.items(), strict=False):
        places = _places(panel, axis)
        _draw(panel, places, known, early, limits, maximise, best)
        panel.set_title(name if len(name) <= 28 else f"…{name[-27:]}", fontsize=9.5)
        panel.set_ylim(limits)
    for row in panels:
        row[0].set_ylabel(label if len(label) <= 24 else "score")
    shared_legend(figure, columns=3)
    return figure


def _places(panel: Axes, axis: Axis) -> FloatArray:
    """Where the values are on the horizontal axis, which is set up; nan without a value."""
    if axis.numeric:
        numbers = np.array([np.nan if value is None else float(value) for value in axis.values])
        positive = numbers[np.isfinite(numbers)]
        if axis.log and positive.size and positive.min() > 0:
            panel.set_xscale("log")
            near = bool(positive.max() / positive.min() < 12)  # where there may be no power of ten
            panel.xaxis.set_major_locator(MaxNLocator(3) if near else LogLocator(numticks=4))
            panel.xaxis.set_minor_formatter(NullFormatter())
        else:
            panel.xaxis.set_major_locator(MaxNLocator(4))
        panel.xaxis.set_major_formatter(short_number)
        return numbers
    words = ["-" if value is None else str(value) for value in axis.values]
    names = [*(name for name in axis.order if name in words), *sorted(set(words) - set(axis.order))]
    jitter = 0.36 * (np.modf(np.arange(len(words)) * 0.618)[0] - 0.5)  # spread, and the same each time
    every = math.ceil(len(names) / _MOST_NAMES)
    shown = [_short(name) for name in names[::every]]
    slanted: dict[str, Any] = {"rotation": 35, "ha": "right", "rotation_mode": "anchor", "fontsize": 8.5}
    panel.set_xticks(range(0, len(names), every), shown, **(slanted if sum(map(len, shown)) > 22 else {}))
    panel.set_xlim(-0.6, len(names) - 0.4)
    panel.grid(False, axis="x")
    places: FloatArray = np.array([names.index(word) for word in words]) + jitter
    return places


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"


def _draw(
    panel: Axes,
    places: FloatArray,
    scores: FloatArray,
    early: Any,
    limits: tuple[float, float],
    maximise: bool,
    best: int | None,
) -> None:
    size, alpha = (9.0, 0.4) if len(scores) > _MANY else (18.0, 0.8)
    edge, arrow = (limits[0], "v") if maximise else (limits[1], "^")
    off = (scores < limits[0]) | (scores > limits[1])
    known = np.isfinite(scores) & np.isfinite(places)
    kinds = (
        (known & ~early & ~off, scores, COLOURS["train"], "o", "finished"),
        (known & ~early & off, np.full(len(scores), edge), COLOURS["train"], arrow, "worse than shown"),
        (known & early, np.clip(scores, *limits), COLOURS["val"], "x", "pruned"),
    )
    for chosen, heights, colour, marker, name in kinds:
        if chosen.any():
            width = 1.0 if marker == "x" else 0.0
            panel.scatter(
                places[chosen],
                heights[chosen],
                s=size,
                c=colour,
                marker=marker,
                linewidths=width,
                alpha=alpha if marker == "x" else 0.8,
                label=name,
                zorder=3,
                clip_on=False,
            )
    if best is not None and np.isfinite(places[best]):
        panel.scatter(
            [places[best]], [scores[best]], s=120, c=COLOURS["test"], marker="*", ec=INK, lw=0.6, label="best", zorder=5
        )
