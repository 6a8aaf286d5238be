"""Bars class by class: scores, and shares."""

import math
from collections.abc import Callable, Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fashseg.figures.style import COLOURS, INK, MUTED, WIDTH, house_style, look, new_figure

_BAR = 0.19  # inches
# Words of a series' name, the first that fits: its colour role, the opacity of its bars and their hatching. Solid is
# the test, empty is what was not measured here. SVG draws a hatching as pale as its bar: hatched bars are clear.
_ROLES = {
    "published": ("published", 0.0, ""),
    "predicted": ("predicted", 0.0, "\\\\\\"),
    "train": ("train", 0.35, ""),
    "val": ("val", 0.0, "///"),
    "test": ("test", 1.0, ""),
}


@house_style()
def class_bars(scores: Mapping[str, Mapping[str, float | None]], label: str) -> Figure:
    """Scores class by class, a bar for each series with its value written.

    Args:
        scores: by series, then by class; 0 to 1. A class without a score, None, nan or left out, is ``absent``.
        label: what the scores are.
    """
    figure = _bars(scores, lambda value: f"{value:.3f}", "absent")
    axes = figure.axes[0]
    axes.set_xlim(0, 1)
    axes.set_xlabel(label)
    return figure


@house_style()
def class_shares(shares: Mapping[str, Mapping[str, float]]) -> Figure:
    """How often each class occurs, a bar for each series; shares of 1 by series, then by class."""
    figure = _bars(shares, lambda value: f"{100 * value:.1f}%", "absent")
    axes = figure.axes[0]
    largest = max((value for series in shares.values() for value in series.values() if value == value), default=0)
    axes.set_xlim(0, 1.02 * largest or 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0 if largest > 0.05 else None))
    axes.set_xlabel("share")
    return figure


def _bars(series: Mapping[str, Mapping[str, float | None]], written: Callable[[float], str], absent: str) -> Figure:
    """Horizontal bars, grouped by class from above, in the order of the legend."""
    classes = list(dict.fromkeys(name for values in series.values() for name in values))
    step = 1 / (len(series) + 0.8)
    figure = new_figure(WIDTH, max(1, len(classes)) * _BAR / step + 0.6 + 0.22 * math.ceil(len(series) / 2))
    axes = figure.subplots()
    for place, (name, values) in enumerate(series.items()):
        colour, opacity, hatch = _fill(place, name, list(series))
        centres = [i + (place - (len(series) - 1) / 2) * step for i in range(len(classes))]
        numbers = [values.get(label) for label in classes]
        known = [math.nan if number is None else number for number in numbers]
        lengths = [0 if math.isnan(number) else number for number in known]
        bars = axes.barh(
            centres, lengths, 0.84 * step, label=name, fc=(colour, opacity), ec=colour, lw=0.9, hatch=hatch
        )
        texts = [absent if math.isnan(number) else written(number) for number in known]
        for text, number in zip(axes.bar_label(bars, texts, padding=3, fontsize=9), known, strict=True):
            text.set_color(MUTED if math.isnan(number) else INK)
            text.set_fontstyle("italic" if math.isnan(number) else "normal")
    axes.set_yticks(range(len(classes)), classes)
    axes.set_ylim(len(classes) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    figure.legend(loc="outside upper left", ncols=2, handlelength=1.4)
    return figure


def _fill(place: int, name: str, names: list[str]) -> tuple[str, float, str]:
    """Colour, opacity and hatching: by what the name says, or by place where two names say the same."""
    role = _role(name)
    if role is None or any(_role(other) == role for other in names[:place]):
        other = look(place + 3)
        return other.colour, 0.0, other.hatch
    colour, opacity, hatch = _ROLES[role]
    return COLOURS[colour], opacity, hatch


def _role(name: str) -> str | None:
    return next((word for word in _ROLES if word in name.lower()), None)
