"""Sections of the page below the table: two sides class by class, curves, options against the score."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure as Chart

from fashseg.compare.differing import key
from fashseg.compare.noise import Noise, Pair
from fashseg.compare.rows import Group, Row
from fashseg.compare.verdicts import between, pair_in_words
from fashseg.figures import style
from fashseg.figures.comparison import differences, overlaid_curves
from fashseg.figures.parallel import parallel_coordinates
from fashseg.figures.slices import Axis, slices
from fashseg.metrics.bootstrap import Interval
from fashseg.pages.blocks import Block, Cell, Figure, Picture, Section, Table, Text
from fashseg.summary import MAIN_SCORE
from fashseg.text import listed, shown_option, signed

ABSENT = "-"
MOST_DRAWN = 200  # runs of a picture, the best ones
FEWEST_SLICED = 6  # runs, below which one sees as much in the table
MOST_PANELS = 12  # options of a picture
MOST_LETTERS = 60  # that fit below a chart
MOST_IN_HEAD = 20  # letters of a column's head, so that the table fits a page


def side_by_side(group: Group, pair: Pair, noise: Noise, suffix: str) -> Section:
    """The two sides of a comparison of two, class by class."""
    interval = noise.difference(pair.others, pair.runs)
    blocks: list[Block] = [Text(pair_in_words(group, pair, noise)), _classes(pair, interval)]
    if interval is not None:
        names = list(pair.runs[0].by_class("test"))
        told = [place for place in range(len(names)) if not math.isnan(interval.low[place])]
        chosen = [*told, len(names)]
        label = f"test score: {pair.names[1]} minus {pair.names[0]}"
        chart = differences(
            [[*names, "all"][place] for place in chosen],
            interval.estimate[chosen].tolist(),
            interval.low[chosen].tolist(),
            interval.high[chosen].tolist(),
            label if len(label) < MOST_LETTERS else "test score: B minus A",
        )
        alt = (
            f"Difference of the test score by class, {pair.names[1]} minus {pair.names[0]}; numbers in the table above."
        )
        caption = f"Above 0: {pair.names[1]} is better. With 95% intervals over the choice of test images."
        blocks.append(chart_block("differences", chart, alt, caption))
    both = " and ".join(pair.names)
    # The caption of the table says what A and B are.
    title = both if len(both) <= MOST_LETTERS else "A and B"
    return Section(f"{title}, class by class", f"classes{suffix}", blocks)


def _classes(pair: Pair, interval: Interval | None) -> Table:
    names = list(pair.runs[0].by_class("test"))
    rows: list[list[Cell]] = []
    footer: list[list[Cell]] = []
    for place, name in enumerate([*names, None]):
        first, second = pair.scores(name)
        cells = [Cell(ABSENT if math.isnan(x) else f"{x:.4f}", value_of(x)) for x in (first, second, second - first)]
        cells[2] = Cell(signed(second - first), value_of(second - first))
        if interval is not None:
            known = not math.isnan(interval.low[place])
            verdict = ("beyond noise" if interval.beyond_noise(place) else "within noise") if known else ""
            cells += [
                Cell(between(interval, place), float(interval.low[place])) if known else Cell(ABSENT),
                Cell(verdict),
            ]
        (rows if name else footer).append([Cell(name or "all", strong=not name), *cells])
    heads = pair.names if max(map(len, pair.names)) <= MOST_IN_HEAD else ("A", "B")
    columns = ["class", *heads, "difference", *(["95% interval", "verdict"] if interval is not None else [])]
    caption = f"Test score class by class; the difference is that of {pair.names[1]} minus {pair.names[0]}"
    if heads != pair.names:
        caption = f"Test score class by class; the difference is B minus A. A: {pair.names[0]}. B: {pair.names[1]}"
    return Table(columns, rows, caption, frozenset({1, 2, 3, *([4] if interval is not None else [])}), footer)


def curves(group: Group, suffix: str) -> Section | None:
    """Validation loss and score and training loss of all runs over the epochs; None where no run has any."""
    labels = group.labels()
    runs = {labels[run.name]: run.epochs for run in group.runs[:MOST_DRAWN] if run.epochs}
    if not runs:
        return None
    fixed = any(epoch.get("train_loss") is not None for rows in runs.values() for epoch in rows)
    training = (
        ("train_loss", "training loss, end of epoch") if fixed else ("train_loss_running", "training loss, running")
    )
    columns = [
        ("val_loss", "validation loss"),
        (f"val_{MAIN_SCORE[group.task]}", f"validation {group.score_label}"),
        training,
    ]
    chart = overlaid_curves(runs, columns)
    which = "best runs" if len(group.runs) > MOST_DRAWN else "runs"
    said = f"{listed([label for _, label in columns])} over the epochs of {len(runs)} {which}"
    alt = f"Curves of {said}. Their last values decide the table above."
    return Section(
        titled("Curves", group, suffix),
        f"curves{suffix}",
        [chart_block("curves", chart, alt, f"{said[0].upper()}{said[1:]}.")],
    )


def options(group: Group, suffix: str) -> Section | None:
    """Options against the score, where there is more to see than in the table."""
    rows = [(row, run) for row in group.rows for run in row.runs if not math.isnan(run.score("val"))][:MOST_DRAWN]
    paths = [path for path in group.options if len({key(row.options.get(path)) for row, _ in rows}) > 1]
    if not paths or (len(paths) < 2 and len(rows) < 3):
        return None
    axes = {}
    for path in paths:
        values = [row.options.get(path) for row, _ in rows]
        axes[path] = values if all(map(is_number, values)) else [_word(row, path) for row, _ in rows]
    label = f"validation {group.score_label}"
    scores = [run.score("val") for _, run in rows]
    chart = parallel_coordinates(axes, scores, label)
    alt = (
        f"A line for each of {len(rows)} runs through its {listed(paths)} to its {label}; the numbers are in the table."
    )
    blocks: list[Block] = [chart_block("options", chart, alt, "A line for each run.")]
    if len(rows) >= FEWEST_SLICED:
        panels = {path: Axis(values, _spans_decades(values)) for path, values in list(axes.items())[:MOST_PANELS]}
        alt = f"The {label} of {len(rows)} runs against {listed(list(panels))}, a panel each."
        blocks.append(chart_block("slices", slices(panels, scores, label), alt, f"The {label} against each option."))
    return Section(titled("Options and score", group, suffix), f"options{suffix}", blocks)


def _spans_decades(values: Sequence[Any]) -> bool:
    """Whether numbers are better told apart on a logarithmic axis."""
    return all(is_number(value) and value > 0 for value in values) and max(values) / min(values) >= 100


def _word(row: Row, path: str) -> str:
    return shown_option(row.options[path]) if path in row.options else ABSENT


def chart_block(name: str, chart: Chart, alt: str, caption: str) -> Figure:
    """A chart as a block of a page."""
    return Figure(Picture(name, alt, "image/svg+xml", style.svg(chart).encode(), caption))


def titled(title: str, group: Group, suffix: str) -> str:
    """The title of a section, with the data set where the page has several tables."""
    return f"{title}, {group.data}" if suffix else title


def is_number(value: object) -> bool:
    """Whether an option has a place on an axis of numbers."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def value_of(number: float) -> float | None:
    """What a cell sorts by."""
    return None if math.isnan(number) else number
