"""The comparison as a page."""

import math
from collections.abc import Sequence

from matplotlib.figure import Figure as Chart

from fashseg import __version__
from fashseg.compare.noise import COVERS, Noise, Pair, pair_of
from fashseg.compare.notes import notes
from fashseg.compare.rows import Group, Row, key, shown
from fashseg.compare.runs import Run, Unreadable
from fashseg.compare.table import best_of, cost_texts, names_of, others_of, score_text
from fashseg.compare.verdicts import (
    between,
    commands,
    pair_in_words,
    row_difference,
    signed,
    why_no_intervals,
)
from fashseg.figures import style
from fashseg.figures.comparison import differences, overlaid_curves, parallel_coordinates
from fashseg.metrics.bootstrap import Interval
from fashseg.pages.blocks import Block, Cell, Code, Figure, Page, Picture, Section, Table, Text
from fashseg.summary import MAIN_SCORE
from fashseg.text import duration, listed

ABSENT = "-"


def build_page(groups: Sequence[tuple[Group, Noise]], others: Sequence[Run], unreadable: Sequence[Unreadable]) -> Page:
    """All tables, curves and differences.

    Args:
        groups: each with its intervals.
        others: runs that are not finished.
        unreadable: what is no run that can be compared.
    """
    sections = []
    for number, (group, noise) in enumerate(groups, start=1):
        sections += _sections_of(group, noise, f"-{number}" if len(groups) > 1 else "")
    if others or unreadable:
        sections.append(_not_compared(others, unreadable))
    count = sum(len(group.runs) for group, _ in groups)
    return Page(
        title=f"Comparison of {count} runs" if count != 1 else "Comparison of one run",
        headline=_headline([group for group, _ in groups]),
        summary=[line for group, _ in groups for line in _summary(group)],
        warnings=_warnings([group for group, _ in groups], others, unreadable),
        sections=sections,
        footer=f"Made by fashseg {__version__}.",
    )


def _headline(groups: Sequence[Group]) -> str:
    if not groups:
        return "No run is finished yet"
    if len(groups) > 1:
        return f"{len(groups)} tables: {listed([f'{group.task} on {group.data}' for group in groups])}"
    group = groups[0]
    if len(group.rows) == 1:
        return f"{group.title}: {score_text(group.rows[0], 'test')} on test images"
    return f"{group.title}: best is {group.row_label(group.rows[0]) or names_of(group, group.rows[0])}"


def _summary(group: Group) -> list[str]:
    best = group.rows[0]
    runs = f"{len(best.runs)} runs with other seeds" if len(best.runs) > 1 else "one run"
    name = group.row_label(best) or names_of(group, best)
    return [
        f"{group.data}: of {len(group.rows)} settings, {name} has the best validation score "
        f"({score_text(best, 'val')}, {runs}); on test images it reaches {score_text(best, 'test')}."
    ]


def _warnings(groups: Sequence[Group], others: Sequence[Run], unreadable: Sequence[Unreadable]) -> list[str]:
    lines = [
        f"Synthetic data: the images of {group.data} were drawn by code. The scores say nothing about real ones."
        for group in groups
        if group.synthetic
    ]
    if any(row.limited for group in groups for row in group.rows):
        lines.append("Some runs used only some batches (trainer.limit_batches or overfit_batches): they are marked.")
    if others or unreadable:
        lines.append(
            f"{len(others) + len(unreadable)} more are not compared, as they are not finished, failed or can't be read."
        )
    return lines


def _sections_of(group: Group, noise: Noise, suffix: str) -> list[Section]:
    blocks: list[Block] = [_table(group, noise)]
    said = [*notes(group), *_about_intervals(group, noise)]
    if said:
        blocks.append(Text(said))
    missing = commands(noise) if len(group.runs) > 1 else []
    if missing:
        blocks.append(Code("\n".join(missing), "Makes the evidence that is missing"))
    sections = [Section(group.title, f"table{suffix}", blocks)]
    pair = pair_of(group)
    if pair is not None:
        sections.append(_pair(group, pair, noise, suffix))
    for section in (_curves(group, suffix), _options(group, suffix), _runs(group, suffix)):
        if section is not None:
            sections.append(section)
    return sections


def _table(group: Group, noise: Noise) -> Table:
    columns = ["run", *group.options, "runs", "validation", "test", "difference from the best, test"]
    columns += ["parameters", "training"]
    best = {part: best_of(group, part) for part in ("val", "test")}
    rows = []
    for row in group.rows:
        scores = [Cell(score_text(row, part), _value(row.mean(part)), strong=row is best[part]) for part in best]
        parameters, time = cost_texts(row)
        rows.append(
            [
                Cell(names_of(group, row)),
                *(_option(row, path) for path in group.options),
                Cell(str(len(row.runs)), len(row.runs)),
                *scores,
                _difference(group, row, noise),
                Cell(parameters, row.average("parameters")),
                Cell(time, row.average("train_seconds")),
            ]
        )
    first = 1 + len(group.options)
    numeric = {place for place, path in enumerate(group.options, start=1) if _is_numeric(group, path)}
    where = f" Runs are named below {group.folder}." if group.folder else ""
    deviation = " ± is the sample standard deviation over seeds." if any(len(r.runs) > 1 for r in group.rows) else ""
    caption = f"{group.title}: best validation score first.{deviation}{where}"
    return Table(columns, rows, caption, frozenset(numeric | set(range(first, len(columns)))))


def _difference(group: Group, row: Row, noise: Noise) -> Cell:
    if row is group.rows[0]:
        return Cell("the best by validation" if len(group.rows) > 1 else ABSENT, 0.0)
    difference, interval = row_difference(group, row, noise)
    if interval is None:
        return Cell(f"{signed(difference)} (no interval)", _value(difference))
    verdict = "beyond noise" if interval.beyond_noise(-1) else "within noise"
    return Cell(f"{signed(difference)} {between(interval, -1)}, {verdict}", _value(difference))


def _option(row: Row, path: str) -> Cell:
    if path not in row.options:
        return Cell(ABSENT)
    value = row.options[path]
    return Cell(shown(value), float(value) if _is_number(value) else None)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_numeric(group: Group, path: str) -> bool:
    return all(_is_number(row.options[path]) for row in group.rows if path in row.options)


def _value(number: float) -> float | None:
    return None if math.isnan(number) else number


def _about_intervals(group: Group, noise: Noise) -> list[str]:
    if len(group.runs) < 2:
        return []
    return [*([COVERS] if noise.tested else []), *why_no_intervals(group, noise)]


def _pair(group: Group, pair: Pair, noise: Noise, suffix: str) -> Section:
    """The two sides of a comparison of two, class by class."""
    interval = noise.difference(pair.others, pair.runs)
    blocks: list[Block] = [Text(pair_in_words(group, pair, noise)), _classes(pair, interval)]
    if interval is not None:
        names = list(pair.runs[0].by_class("test"))
        told = [place for place in range(len(names)) if not math.isnan(interval.low[place])]
        chosen = [*told, len(names)]
        chart = differences(
            [[*names, "all"][place] for place in chosen],
            interval.estimate[chosen].tolist(),
            interval.low[chosen].tolist(),
            interval.high[chosen].tolist(),
            f"test score of {pair.names[1]} less that of {pair.names[0]}",
        )
        alt = (
            f"Difference of the test score by class, {pair.names[1]} less {pair.names[0]}; numbers in the table above."
        )
        caption = f"Above 0: {pair.names[1]} is better. With 95% intervals over the choice of test images."
        blocks.append(_chart("differences", chart, alt, caption))
    return Section(f"{pair.names[0]} and {pair.names[1]}, class by class", f"classes{suffix}", blocks)


def _classes(pair: Pair, interval: Interval | None) -> Table:
    names = list(pair.runs[0].by_class("test"))
    rows: list[list[Cell]] = []
    footer: list[list[Cell]] = []
    for place, name in enumerate([*names, None]):
        first, second = pair.scores(name)
        cells = [Cell(ABSENT if math.isnan(x) else f"{x:.4f}", _value(x)) for x in (first, second, second - first)]
        cells[2] = Cell(signed(second - first), _value(second - first))
        if interval is not None:
            known = not math.isnan(interval.low[place])
            verdict = ("beyond noise" if interval.beyond_noise(place) else "within noise") if known else ""
            cells += [Cell(between(interval, place) if known else ABSENT), Cell(verdict)]
        (rows if name else footer).append([Cell(name or "all", strong=not name), *cells])
    columns = ["class", *pair.names, "difference", *(["95% interval", "verdict"] if interval is not None else [])]
    caption = f"Test score class by class; the difference is that of {pair.names[1]} less {pair.names[0]}"
    return Table(columns, rows, caption, frozenset({1, 2, 3}), footer)


def _curves(group: Group, suffix: str) -> Section | None:
    labels = group.labels()
    runs = {labels[run.name]: run.epochs for run in group.runs if run.epochs}
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
    said = f"{listed([label for _, label in columns])} over the epochs of {len(runs)} runs"
    alt = f"Curves of {said}. Their last values decide the table above."
    return Section("Curves", f"curves{suffix}", [_chart("curves", chart, alt, f"{said[0].upper()}{said[1:]}.")])


def _options(group: Group, suffix: str) -> Section | None:
    """Options against the score, where there is more to see than in the table."""
    rows = [(row, run) for row in group.rows for run in row.runs if not math.isnan(run.score("val"))]
    paths = [path for path in group.options if len({key(row.options.get(path)) for row, _ in rows}) > 1]
    if not paths or (len(paths) < 2 and len(rows) < 3):
        return None
    axes = {}
    for path in paths:
        values = [row.options.get(path) for row, _ in rows]
        axes[path] = values if all(map(_is_number, values)) else [_word(row, path) for row, _ in rows]
    label = f"validation {group.score_label}"
    chart = parallel_coordinates(axes, [run.score("val") for _, run in rows], label)
    alt = (
        f"A line for each of {len(rows)} runs through its {listed(paths)} to its {label}; the numbers are in the table."
    )
    return Section("Options and score", f"options{suffix}", [_chart("options", chart, alt, "A line for each run.")])


def _word(row: Row, path: str) -> str:
    return shown(row.options[path]) if path in row.options else ABSENT


def _runs(group: Group, suffix: str) -> Section | None:
    """Run by run, so that no mean hides one."""
    if len(group.rows) == len(group.runs):
        return None
    labels = group.labels()
    rows = []
    for run in group.runs:
        scores = [Cell(f"{run.score(part):.4f}", _value(run.score(part))) for part in ("val", "test")]
        epochs, seconds = run.number("epochs_run"), run.number("train_seconds")
        rows.append(
            [
                Cell(run.name),
                Cell(labels[run.name]),
                *scores,
                Cell(ABSENT if epochs is None else f"{epochs:.0f}", epochs),
                Cell(ABSENT if seconds is None else duration(seconds), seconds),
            ]
        )
    columns = ["run", "what", "validation", "test", "epochs", "training"]
    table = Table(columns, rows, "Every run that is in a mean above", frozenset({2, 3, 4, 5}))
    return Section("Run by run", f"runs{suffix}", [table])


def _not_compared(others: Sequence[Run], unreadable: Sequence[Unreadable]) -> Section:
    rows = [[Cell(text) for text in line] for line in others_of(others, unreadable)]
    return Section("Not compared", "others", [Table(["run", "status", "why"], rows, "In no table and no mean above")])


def _chart(name: str, chart: Chart, alt: str, caption: str) -> Figure:
    return Figure(Picture(name, alt, "image/svg+xml", style.svg(chart).encode(), caption))
