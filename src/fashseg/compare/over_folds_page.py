"""The section of the page on folds and seeds."""

import re
from collections.abc import Mapping, Sequence

from fashseg.compare.crossed import paired
from fashseg.compare.details import ABSENT, titled
from fashseg.compare.over_folds import COLUMNS, about, about_pairs, lines_of
from fashseg.compare.rows import Group, Row
from fashseg.compare.table import row_names
from fashseg.metrics.spread import Difference
from fashseg.pages.blocks import Block, Cell, Section, Table, Text
from fashseg.text import signed


def section(group: Group, suffix: str) -> Section | None:
    """What rows come to over folds and seeds, and how they differ on the same folds; None where each is one run."""
    names = row_names(group)
    if not (lines := lines_of(group, names)):
        return None
    rows = [[Cell(text, _first_number(text) if place > 1 else None) for place, text in enumerate(ln)] for ln in lines]
    caption = "Mean ± sample standard deviation, and where the mean would lie with other folds or seeds"
    blocks: list[Block] = [Table(COLUMNS, rows, caption, frozenset({2, 3, 4, 5})), Text(about(group))]
    if compared := paired(group):
        blocks += [_compared(group, compared, names), Text(about_pairs(group, names))]
    return Section(titled("Over folds and seeds", group, suffix), f"folds{suffix}", blocks)


def _compared(group: Group, compared: Sequence[tuple[Row, Difference | str]], names: Mapping[int, str]) -> Table:
    rows = []
    for row, found in compared:
        name = Cell(names[group.rows.index(row)])
        if isinstance(found, str):
            rows.append([name, Cell(ABSENT), Cell(ABSENT), Cell(ABSENT), Cell(found)])
            continue
        beyond = not found.low <= 0 <= found.high
        interval = f"({signed(found.low)} to {signed(found.high)})"
        verdict = Cell("beyond noise" if beyond else "within noise")
        cells = [Cell(signed(found.mean), found.mean), Cell(interval, found.low, strong=beyond)]
        rows.append([name, *cells, Cell(f"{found.p:.2g}", found.p), verdict])
    columns = ["runs", "validation: difference", "95% interval", "p", "verdict"]
    return Table(columns, rows, f"Validation score less that of {names[0]}, on the same folds", frozenset({1, 2, 3}))


def _first_number(text: str) -> float | None:
    found = re.search(r"\d+\.\d+", text)
    return float(found[0]) if found else None
