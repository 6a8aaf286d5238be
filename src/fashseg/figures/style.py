"""How every figure looks, and how it is written: as SVG for pages in light and dark, PNG and pixels.

A figure is made and written within `house_style`. No pyplot, and nothing is left changed.
"""

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib.style
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from PIL import Image

UInt8 = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]

WIDTH = 5.0
"""Inches. On a telephone 360 pixels wide, text of 10 points is then still 9 pixels high."""

# Neutral colours on white. In SVG each becomes the one beside it where the reader's page is dark.
INK, MUTED, GRID, PAPER = "#1F2328", "#656D76", "#D9DEE3", "#FEFEFE"
DARK = {INK: "#E6EDF3", MUTED: "#9AA4AE", GRID: "#343B43", PAPER: "#14181D"}

# The colours of Okabe and Ito (2008), those too pale for white paper darkened: all have a contrast of 3:1 or more on
# white and on #14181D, so that they stay as they are in the dark.
COLOURS: dict[str, str] = {
    "train_running": "#3595CF",
    "train": "#0072B2",
    "val": "#D55E00",
    "test": "#009E73",
    "published": "#7D7D7D",
    "predicted": "#C77BA5",
    "right": "#0072B2",
    "wrong": "#D55E00",
    "error": "#C0288C",  # of pixels: far from the orange and red of the facades, and darker than any right pixel
}
SERIES: tuple[str, ...] = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#C77BA5",
    "#B07D00",
    "#3595CF",
    "#7D7D7D",
    "#A34F74",
)
LINE_STYLES: tuple[Any, ...] = (
    "-",
    (0, (5, 2)),
    (0, (1, 1.2)),
    (0, (5, 1.5, 1, 1.5)),
    (0, (8, 2)),
    (0, (3, 1.2, 1, 1.2, 1, 1.2)),
    (0, (2, 2)),
    (0, (10, 2, 2, 2)),
)
MARKERS: tuple[str, ...] = ("o", "s", "^", "D", "v", "P", "X", "*")
HATCHES: tuple[str, ...] = ("", "///", "xxx", "\\\\\\", "---", "+++", "|||", "/////")

_RC: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib: the layout is the same everywhere
    "font.size": 10,
    "text.color": INK,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "text.parse_math": False,  # a name may hold dollars
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "legend.handlelength": 2.2,
    "legend.columnspacing": 1.4,
    "legend.borderaxespad": 0,
    "lines.linewidth": 1.9,
    "lines.markersize": 5,
    "hatch.linewidth": 0.8,
    "image.interpolation": "none",  # pixels stay sharp, and SVG holds each once
    "image.composite_image": False,  # else SVG holds all images of a panel as one, at 72 dots an inch
    "figure.facecolor": "white",
    "figure.constrained_layout.h_pad": 0.05,
    "figure.constrained_layout.w_pad": 0.05,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "fashseg",  # equal figures, equal bytes
}
_LOCK = threading.RLock()


@contextmanager
def house_style() -> Iterator[None]:
    """Settings of all figures, as a ``with`` block or a decorator; one thread at a time, as matplotlib's are global."""
    with _LOCK, matplotlib.style.context(["default", _RC]):
        yield


class Look(NamedTuple):
    """What tells a series apart: its colour, and without colour a line style and marker, or a hatching."""

    colour: str
    line_style: Any
    marker: str
    hatch: str


def look(place: int) -> Look:
    """The look of an arbitrary series, by its place; they repeat after eight."""
    i = place % len(SERIES)
    return Look(SERIES[i], LINE_STYLES[i], MARKERS[i], HATCHES[i])


@house_style()
def new_figure(width: float, height: float) -> Figure:
    """An empty figure in the house style with constrained layout; inches."""
    return Figure(figsize=(width, height), layout="constrained")


def shared_legend(figure: Figure, columns: int = 2) -> None:
    """One legend above all panels, each name once; none for series without a name."""
    entries: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(name, handle)
    if entries:
        figure.legend(entries.values(), entries.keys(), loc="outside upper left", ncols=columns)


@house_style()
def svg(figure: Figure) -> str:
    """SVG of a figure, for ``<img>`` too: transparent, text as text, equal bytes for equal figures.

    Neutral colours follow ``prefers-color-scheme``, by a style sheet inside: the drawing itself stays plain, for
    programs that know no style sheets.
    """
    content = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(content, format="svg", transparent=True, metadata=nothing)
    drawn = _numbered(content.getvalue())
    start = drawn.index("<svg")
    head = drawn.index(">", start) + 1
    return f"{drawn[start:head]}\n<style>{_style_sheet()}</style>{drawn[head:]}"


def _numbered(drawn: str) -> str:
    """Names for the clip paths that do not vary: matplotlib's hash the last digits of the layout, which do."""
    for number, name in enumerate(re.findall(r'<clipPath id="(\w+)"', drawn)):
        drawn = drawn.replace(name, f"clip{number}")
    return drawn


def _style_sheet() -> str:
    rules = "".join(
        f'[style*="{kind}: {light.lower()}"]{{{kind}:{dark.lower()} !important}}'
        for light, dark in DARK.items()
        for kind in ("fill", "stroke")
    )
    return (
        f"text{{font-family:system-ui,sans-serif !important}}@media screen and (prefers-color-scheme:dark){{{rules}}}"
    )


@house_style()
def png(figure: Figure, dpi: float = 150) -> bytes:
    """PNG of a figure on white."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return content.getvalue()


def pixels(figure: Figure, dpi: float = 100) -> UInt8:
    """Pixels (H, W, 3) of a figure on white."""
    return np.asarray(Image.open(io.BytesIO(png(figure, dpi))).convert("RGB"))
