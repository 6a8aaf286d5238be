"""Which options of a search decide its score."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fashseg.figures.style import COLOURS, WIDTH, house_style, new_figure


@house_style()
def importances(shares: Mapping[str, float]) -> Figure:
    """A bar for each option, the largest first, with its share of the sum written.

    Args:
        shares: by option, at least 0; their sum is taken as 100%.
    """
    total = sum(shares.values()) or 1.0
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    figure = new_figure(WIDTH, 0.32 * max(1, len(ordered)) + 0.8)
    axes = figure.subplots()
    bars = axes.barh(range(len(ordered)), [value / total for _, value in ordered], height=0.66, color=COLOURS["train"])
    axes.bar_label(bars, [f"{100 * value / total:.0f}%" for _, value in ordered], padding=3, fontsize=9)
    axes.set_yticks(range(len(ordered)), [name if len(name) <= 32 else f"…{name[-31:]}" for name, _ in ordered])
    largest = max((value / total for _, value in ordered), default=1.0)
    axes.set(xlim=(0, 1.15 * largest or 1), ylim=(max(1, len(ordered)) - 0.5, -0.5), xlabel="share of the importance")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    return figure
