"""Runs beside each other: curves over one another, options against the score, classes of two runs."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from fashseg.figures.curves import Row
from fashseg.figures.style import (
    COLOURS,
    INK,
    MUTED,
    PAPER,
    SERIES,
    WIDTH,
    FloatArray,
    Look,
    house_style,
    look,
    new_figure,
    shared_legend,
)
from fashseg.figures.worth_seeing import score_limits

_APART = 0.15  # of an axis, between values that are named
_MANY = 60  # runs, above which lines are thin


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


@house_style()
def parallel_coordinates(
    axes: Mapping[str, Sequence[float | str | bool | None]],
    scores: Sequence[float],
    score_label: str,
    *,
    logarithmic: Collection[str] = (),
    maximise: bool = True,
) -> Figure:
    """Options against the score: a line for each run, an axis for each option, the score last; the best run is thick.

    Args:
        axes: by option, its value in each of the R runs. Numbers get an axis of numbers, logarithmic where all are
            above 0 and span a factor of 100 or more; other values are categories.
        scores: (R,), nan where a run has none: its line ends before the score, dotted and grey.
        score_label: name of the score.
        logarithmic: options whose axis is logarithmic, however little their values span.
        maximise: whether more is better.

    Raises:
        ValueError: an option has not R values.
    """
    wrong = [name for name, values in axes.items() if len(values) != len(scores)]
    if wrong:
        raise ValueError(f"{len(scores)} scores, but another number of values of {', '.join(wrong)}")
    known = np.array(scores, dtype=float)
    scales = [_scale(values, name in logarithmic) for name, values in axes.items()]
    scales.append(_score_scale(known, maximise))
    # Axes lie below each other and the runs go down: it fits a telephone, and names and values lie flat.
    figure = new_figure(WIDTH, 0.85 * len(scales) + 0.7)
    panel = figure.subplots()
    _draw_runs(panel, np.array([places for places, _ in scales]), known, maximise)
    for level, (_, ticks) in enumerate(scales):
        panel.axhline(level, color=MUTED, linewidth=0.8, zorder=1)
        _draw_ticks(panel, level, ticks)
    panel.set(xlim=(-0.06, 1.06), ylim=(len(scales) - 0.5, -0.3))
    panel.set_yticks(range(len(scales)), [*axes, score_label], weight="bold")
    panel.set_xticks([])
    panel.tick_params(length=0)
    panel.grid(False)
    panel.spines[:].set_visible(False)
    shared_legend(figure)
    return figure


def _draw_runs(panel: Axes, places: FloatArray, scores: FloatArray, maximise: bool) -> None:
    """A line for each run through its places (axes, R), the better ones above the others."""
    finite = scores[np.isfinite(scores)]
    ends = np.clip(score_limits(finite.tolist(), maximise), finite.min(), finite.max()) if finite.size else (0, 1)
    colours = ScalarMappable(Normalize(*ends), "cividis" if maximise else "cividis_r")
    best = int((np.nanargmax if maximise else np.nanargmin)(scores)) if finite.size else -1
    many = len(scores) > _MANY
    ranks = np.argsort(np.argsort(np.where(np.isnan(scores), -np.inf, scores if maximise else -scores)))
    for run, score in enumerate(scores):
        absent, width = bool(np.isnan(score)), 4.0 if run == best else 0.9 if many else 1.6
        # The pale end of the colours is lost on white, the dark one on black: each line has an outline.
        outline = [] if absent or (many and run != best) else [withStroke(linewidth=width + 1.4, foreground=MUTED)]
        panel.plot(
            places[:, run],
            np.arange(len(places)),
            color=MUTED if absent else colours.to_rgba(score),
            linestyle=":" if absent else "-",
            linewidth=width,
            marker="o" if run == best or not many else "",
            markersize=7 if run == best else 4,
            path_effects=outline,
            zorder=4 if run == best else 2.5 if absent else 3 + 0.9 * ranks[run] / len(scores),
            label="best run" if run == best else "_",
        )


def _draw_ticks(panel: Axes, level: int, ticks: Sequence[tuple[float, str]]) -> None:
    """Values below their axis, in two lines by turns where they are long."""
    long = sum(len(text) for _, text in ticks) > 36
    for number, (place, text) in enumerate(ticks):
        panel.annotate(
            text,
            (place, level),
            (0, -18 if long and number % 2 else -6),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=9,
            bbox={"fc": (PAPER, 0.85), "ec": "none", "pad": 0.5},
            zorder=5,
        )


Scale = tuple[FloatArray, list[tuple[float, str]]]
"""The place of each value, 0 to 1 (nan without a value), and of each tick with its text."""


def _score_scale(scores: FloatArray, maximise: bool) -> Scale:
    """The axis of the score; what lies far off is at its end."""
    finite = scores[np.isfinite(scores)]
    if not finite.size:
        return _numbers(scores, logarithmic=False)
    low, high = score_limits(finite.tolist(), maximise)
    places, ticks = _numbers(np.clip(scores, low, high), logarithmic=False)
    for end, cut, words in ((0, finite.min() < low, "or less"), (-1, finite.max() > high, "or more")):
        if cut:
            ticks[end] = (ticks[end][0], f"{ticks[end][1]} {words}")
    return places, ticks


def _scale(values: Sequence[float | str | bool | None], log: bool) -> Scale:
    given = [value for value in values if value is not None]
    if given and all(isinstance(value, int | float) and not isinstance(value, bool) for value in given):
        numbers = np.array([np.nan if value is None else float(value) for value in values])
        positive = numbers[np.isfinite(numbers)]
        wide = bool(positive.size and positive.min() > 0 and (log or positive.max() / positive.min() >= 100))
        return _numbers(numbers, wide)
    words = [str(value) for value in values]
    names = sorted(set(words))
    places = np.linspace(0, 1, len(names)) if len(names) > 1 else np.array([0.5])
    return np.array([places[names.index(word)] for word in words]), list(zip(places.tolist(), names, strict=True))


def _numbers(values: FloatArray, logarithmic: bool) -> Scale:
    distinct = np.unique(values[np.isfinite(values)])
    if not distinct.size:
        return np.full(len(values), np.nan), []
    move = np.log10 if logarithmic else np.asarray
    low, high = (float(move(end)) for end in distinct[[0, -1]])
    if low == high:
        return np.where(np.isfinite(values), 0.5, np.nan), [(0.5, f"{distinct[0]:.4g}")]
    marks = distinct if len(distinct) <= 4 else distinct[[0, -1]]
    places, at = (move(values) - low) / (high - low), (move(marks) - low) / (high - low)
    shown = [0]
    for i in range(1, len(marks) - 1):
        shown += [i] if min(at[i] - at[shown[-1]], 1 - at[i]) >= _APART else []
    return places, [(float(at[i]), f"{marks[i]:.{3 if logarithmic else 4}g}") for i in (*shown, len(marks) - 1)]
