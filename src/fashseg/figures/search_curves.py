"""The scores of all trials of a search over the epochs, with those that were ended early."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fashseg.figures.style import COLOURS, INK, WIDTH, house_style, new_figure, shared_legend
from fashseg.figures.worth_seeing import score_limits

_MANY = 60  # trials, above which lines are thin


@house_style()
def search_curves(
    curves: Sequence[Mapping[int, float]], states: Sequence[str], label: str, *, maximise: bool = True
) -> Figure:
    """A line for each trial over its epochs; that of a pruned one ends with a cross, the best is thick.

    Args:
        curves: of the T trials, the score by epoch.
        states: (T,) ``finished``, ``pruned`` or another one.
        label: what the score is.
        maximise: whether more is better.
    """
    figure = new_figure(WIDTH, 3.4)
    axes = figure.subplots()
    many = len(curves) > _MANY
    thin = 0.7 if many else 1.1
    lines = {
        "finished": (COLOURS["train"], "-", "finished"),
        "pruned": (COLOURS["val"], "-", "pruned"),
        "": (COLOURS["published"], ":", "running, failed or lost"),
    }
    drawn = list(zip(curves, states, strict=True))
    for kind, (colour, style, name) in lines.items():
        chosen = [curve for curve, state in drawn if curve and (state if state in lines else "") == kind]
        if not chosen:
            continue
        axes.add_collection(
            LineCollection(
                [list(curve.items()) for curve in chosen],
                colors=[colour],
                linestyles=[style],
                linewidths=thin,
                alpha=0.3 if many and kind == "pruned" else 0.55 if kind == "finished" else 0.9,
                label=name,
                zorder=3 if kind == "finished" else 3.5,
            )
        )
        ends = [list(curve.items())[-1] for curve in chosen if kind == "pruned" or len(curve) == 1]
        x, y = [epoch for epoch, _ in ends], [score for _, score in ends]
        size = 10 if many else 20
        marker = "x" if kind == "pruned" else "."
        axes.scatter(x, y, s=size, c=colour, marker=marker, linewidths=1.1, alpha=0.5 if many else 1.0, zorder=4)
    ended = [
        (list(curve.values())[-1], place) for place, (curve, state) in enumerate(drawn) if curve and state == "finished"
    ]
    if ended:
        _, place = max(ended, key=lambda end: (end[0] if maximise else -end[0], -end[1]))
        best = curves[place]
        axes.plot(list(best), list(best.values()), color=INK, linewidth=2.4, zorder=5, label="best at its end")
    axes.set(xlabel="epoch", ylabel=label, ylim=_limits(curves, states, maximise))
    furthest = max((max(curve) for curve in curves if curve), default=1)
    axes.set_xlim(0.5 if furthest < 20 else 0, furthest + max(0.5, 0.02 * furthest))
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
    shared_legend(figure)
    return figure


def _limits(curves: Sequence[Mapping[int, float]], states: Sequence[str], maximise: bool) -> tuple[float, float]:
    """Ends of the axis of scores: the last ones are told apart, and one sees how the curves came there."""
    scores = [list(curve.values()) for curve in curves]
    ended = [own[-1] for own, state in zip(scores, states, strict=True) if own and state == "finished"]
    pruned = [own[-1] for own, state in zip(scores, states, strict=True) if own and state == "pruned"]
    early = [own[len(own) // 4] for own in scores if len(own) > 1]
    low, high = score_limits(ended or pruned or early, maximise)
    for some in filter(None, (pruned, early)):
        low, high = (min(low, float(np.median(some))), high) if maximise else (low, max(high, float(np.median(some))))
    return low, high
