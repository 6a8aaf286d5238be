"""What other papers give beside the main score."""

import numpy as np
import numpy.typing as npt

from fashseg.pages.blocks import Block, Cell, Table, Text
from fashseg.report.facts import Facts
from fashseg.text import percent

OF_PIXELS = {"average_precision_softmax": "AP by softmax", "iou": "IoU"}
PART_NAMES = {"val": "validation", "test": "test"}


def other_scores(facts: Facts) -> list[Block]:
    """Of a classifier precision, F1 and average precision; of a segmenter softmax ranking and overlap."""
    return _of_images(facts) if facts.classifies else _of_pixels(facts)


def _of_images(facts: Facts) -> list[Block]:
    part = facts.shown_part
    if part is None:
        return []
    arrays = facts.evidence[part]
    confusion: npt.NDArray[np.float64] = arrays["confusion"].astype(np.float64)
    right, truth, said = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    with np.errstate(invalid="ignore"):
        columns = {"precision": right / said, "F1": 2 * right / (truth + said)}
    columns["average precision"] = arrays["average_precision"]
    rows = [
        [
            Cell(name),
            Cell(f"{truth[label]:,.0f}", value=float(truth[label])),
            *(Cell(percent(float(values[label])), value=_known(values[label])) for values in columns.values()),
        ]
        for label, name in enumerate(facts.class_names)
    ]
    means = [float(np.nanmean(values)) if not np.isnan(values).all() else np.nan for values in columns.values()]
    footer = [
        Cell("mean", strong=True),
        Cell(f"{truth.sum():,.0f} in all", value=float(truth.sum()), strong=True),
        *(Cell(percent(mean), value=_known(mean), strong=True) for mean in means),
    ]
    heads = ["class", "images", *columns]
    caption = f"Other scores on {PART_NAMES[part]} images; the accuracy of a class above is its recall"
    return [Table(heads, rows, caption, frozenset(range(1, len(heads))), [footer])]


def _of_pixels(facts: Facts) -> list[Block]:
    parts = [part for part in facts.scored if part in facts.results]
    if not parts:
        return []
    kinds = [(part, key) for key in OF_PIXELS for part in parts]

    def row(name: str, strong: bool = False) -> list[Cell]:
        values = [facts.results[part][key][name] for part, key in kinds]
        cells = [Cell("absent" if v is None else f"{v:.3f}", value=_known(v), strong=strong) for v in values]
        return [Cell(name, strong=strong), *cells]

    heads = ["class", *(f"{OF_PIXELS[key]}, {PART_NAMES[part]}" for part, key in kinds)]
    caption = "Other scores: average precision where pixels are ranked by softmax, and intersection over union"
    table = Table(
        heads, [row(n) for n in facts.class_names], caption, frozenset(range(1, len(heads))), [row("mean", True)]
    )
    accuracy = [f"{percent(facts.results[part]['pixel_accuracy'])} of the {PART_NAMES[part]} pixels" for part in parts]
    return [table, Text([f"{' and '.join(accuracy)} are recognised."])]


def _known(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)
