"""Options against the score: an axis for each option, a line for each run."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from fashseg.figures.style import MUTED, PAPER, WIDTH, FloatArray, house_style, new_figure, shared_legend
from fashseg.figures.worth_seeing import score_limits

_MANY = 60  # runs, above which lines are thin


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
    ticks = [(float(at[i]), f"{mark:.{3 if logarithmic else 4}g}") for i, mark in enumerate(marks)]
    shown = ticks[:1]
    for tick in ticks[1:-1]:
        shown += [tick] if _apart(shown[-1], tick) and _apart(tick, ticks[-1]) else []
    return places, [*shown, ticks[-1]]


def _apart(one: tuple[float, str], other: tuple[float, str]) -> bool:
    return other[0] - one[0] > 0.012 * len(one[1] + other[1]) + 0.02  # half a letter is about 0.012 of an axis
