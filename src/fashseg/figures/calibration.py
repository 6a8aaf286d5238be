"""The reliability diagram: is the network right as often as it says?"""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fashseg.figures.style import (
    COLOURS,
    INK,
    MUTED,
    WIDTH,
    FloatArray,
    IntArray,
    house_style,
    new_figure,
    shared_legend,
)


@house_style()
def reliability(counts: FloatArray | IntArray, confidence: FloatArray, accuracy: FloatArray, error: float) -> Figure:
    """Accuracy by confidence, and below how many samples have that confidence.

    Args:
        counts: (B,), the samples in each of B equal bins of confidence from 0 to 1.
        confidence: (B,), their mean confidence; nan where a bin is empty.
        accuracy: (B,), the share of them predicted right; nan where a bin is empty.
        error: the expected calibration error, 0 to 1, for the title.
    """
    bins = len(counts)
    figure = new_figure(WIDTH, 5.2)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    edges, width = np.arange(bins) / bins, 1 / bins
    full = np.asarray(counts) > 0
    upper.bar(
        edges[full],
        accuracy[full],
        width,
        align="edge",
        fc=(COLOURS["right"], 0.35),
        ec=COLOURS["right"],
        label="accuracy",
    )
    upper.plot([0, 1], [0, 1], color=INK, linestyle="--", linewidth=1.4, label="perfectly calibrated")
    upper.plot(
        confidence[full],
        accuracy[full],
        color=COLOURS["wrong"],
        linestyle="",
        marker="D",
        label="accuracy at the mean confidence",
    )
    shown = "absent" if np.isnan(error) else f"{100 * error:.1f}%"
    upper.set_title(f"expected calibration error {shown}")
    upper.set_ylabel("accuracy")
    total = np.sum(counts)
    lower.bar(edges, counts / total if total else np.zeros(bins), width, align="edge", fc=(MUTED, 0.35), ec=MUTED)
    lower.set_ylabel("samples")
    lower.set_xlabel("confidence: probability of the predicted class")
    lower.set_xlim(0, 1)
    upper.set_ylim(0, 1.02)
    for axes in (upper, lower):
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    lower.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    shared_legend(figure)
    return figure
