"""Scores of several models over their size, each beside a figure on record and a goal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from fashseg.figures.style import COLOURS, INK, MUTED, WIDTH, house_style, new_figure, shared_legend


@dataclass(frozen=True)
class Point:
    """One model.

    Attributes:
        name: as it is written beside its point.
        size: parameters, for example; above 0.
        score: mean over its runs.
        deviation: over its runs; None of one.
        record: what is on record for its kind.
        goal: what it was to reach.
    """

    name: str
    size: float
    score: float
    deviation: float | None
    record: float
    goal: float


@house_style()
def scores_over_size(panels: Mapping[str, Sequence[Point]], size: str) -> Figure:
    """A panel for each kind of score, with a point for each model, its record and its goal above its size.

    Args:
        panels: the models, by what their score is.
        size: what the size is.
    """
    figure = new_figure(WIDTH, 0.6 + 2.6 * len(panels))
    for axes, (label, points) in zip(figure.subplots(len(panels), squeeze=False)[:, 0], panels.items(), strict=True):
        axes.set_xscale("log")
        for point in points:
            axes.plot([point.size] * 2, [point.record, point.score], color=MUTED, linewidth=0.8, zorder=1)
        sizes = [point.size for point in points]
        axes.scatter(
            sizes, [p.record for p in points], marker="x", color=COLOURS["published"], s=30, label="on record", zorder=3
        )
        axes.scatter(sizes, [p.goal for p in points], marker="_", color=INK, s=90, label="goal", zorder=2)
        axes.errorbar(
            sizes,
            [p.score for p in points],
            [p.deviation or 0 for p in points],
            fmt="o",
            color=COLOURS["test"],
            label="test, mean ± sd",
            capsize=2,
            zorder=4,
        )
        for point in points:
            axes.annotate(point.name, (point.size, point.score), (6, 4), textcoords="offset points", fontsize=9)
        axes.set_xlim(min(sizes) / 2, max(sizes) * 5)  # names stand on the right
        axes.margins(y=0.15)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_ylabel(label)
    figure.axes[-1].set_xlabel(size)
    shared_legend(figure, 3)
    return figure
