"""The comparison in the terminal."""

import math
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fashseg.compare.noise import Noise, Pair
from fashseg.compare.notes import notes
from fashseg.compare.over_folds import COLUMNS, about, lines_of, pairs_in_words
from fashseg.compare.rows import Group, Row
from fashseg.compare.runs import Run, Unreadable
from fashseg.compare.verdicts import commands, pair_in_words
from fashseg.text import duration, shown_option

MOST_NAMES = 4
MOST_OTHERS = 50  # runs that are in no table


def print_group(screen: Console, group: Group) -> None:
    """A row for runs that differ by seed alone, best validation score first, and what to know about them."""
    where = f" in {group.folder}" if group.folder else ""
    table = Table(title=f"{group.title}: runs{where}", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("run")
    for path in group.options:
        table.add_column(path)
    for name in ("n", "validation", "test", "parameters", "training"):
        table.add_column(name, justify="right")
    best = {part: best_of(group, part) for part in ("val", "test")}
    for row in group.shown:
        values = [shown_option(row.options[path]) if path in row.options else "-" for path in group.options]
        scores = [Text(score_text(row, part), style="bold" if row is best[part] else "") for part in ("val", "test")]
        table.add_row(names_of(group, row), *values, str(len(row.runs)), *scores, *cost_texts(row))
    screen.print(table)
    for line in filter(None, [group.left_out, *notes(group)]):
        screen.print(line)


def print_spread(screen: Console, group: Group) -> None:
    """Mean, deviation and interval over folds and over seeds, and how settings differ over the same folds."""
    names = row_names(group)
    if not (lines := lines_of(group, names)):
        return
    table = Table(title="Over folds and seeds", title_justify="left", box=box.SIMPLE_HEAD)
    for place, name in enumerate(COLUMNS):
        table.add_column(name, justify="left" if place < 2 else "right")
    for line in lines:
        table.add_row(*line)
    screen.print(table)
    for said in (*about(group), *pairs_in_words(group, names)):
        screen.print(said)


def print_pair(screen: Console, group: Group, pair: Pair, noise: Noise) -> None:
    """In words, whether two sides differ."""
    for line in pair_in_words(group, pair, noise):
        screen.print(line)
    for line in commands(noise):
        screen.print(f"  {line}")


def print_others(screen: Console, runs: Sequence[Run], unreadable: Sequence[Unreadable]) -> None:
    """Runs that are in no table: unfinished, failed, unreadable."""
    if not runs and not unreadable:
        return
    table = Table(title="Not compared", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("run", "status", "why"):
        table.add_column(name, overflow="fold")
    found = others_of(runs, unreadable)
    for name, status, why in found[:MOST_OTHERS]:
        table.add_row(name, status, why)
    screen.print(table)
    if found[MOST_OTHERS:]:
        screen.print(f"and {len(found) - MOST_OTHERS:,} more that are not compared")


def others_of(runs: Iterable[Run], unreadable: Iterable[Unreadable]) -> list[tuple[str, str, str]]:
    """Name, status and reason of what is in no table."""
    found = [(run.name, str(run.results["status"]), _why(run)) for run in runs]
    return [*found, *((other.name, "unreadable", other.why) for other in unreadable)]


def _why(run: Run) -> str:
    wanted = (run.options or {}).get("epochs")
    so_far = f"{len(run.epochs)} of {wanted} epochs" if wanted else f"{len(run.epochs)} epochs"
    status = run.results["status"]
    if status == "failed":
        error = " ".join(str(run.results.get("error", "the reason is in run.log")).split())
        return f"{so_far}; {error}"
    if status == "pruned":
        return f"{so_far}; its search ended it, for it fell behind other trials"
    if status == "running":
        return f"{so_far}; it runs, or was ended without a word"
    return so_far


def best_of(group: Group, part: str) -> Row | None:
    """The row with the highest mean score; None of a single row."""
    known = [row for row in group.rows if not math.isnan(row.mean(part))]
    return max(known, key=lambda row: row.mean(part)) if len(group.rows) > 1 and known else None


def score_text(row: Row, part: str) -> str:
    """Mean ± sample standard deviation."""
    mean, deviation = row.mean(part), row.deviation(part)
    if math.isnan(mean):
        return "undefined"
    return f"{mean:.4f}" if deviation is None else f"{mean:.4f} ± {deviation:.4f}"


def cost_texts(row: Row) -> tuple[str, str]:
    """Parameters and mean training time."""
    parameters, seconds = row.average("parameters"), row.average("train_seconds")
    return (
        "-" if parameters is None else f"{parameters:,.0f}",
        "-" if seconds is None else duration(seconds),
    )


def row_names(group: Group) -> dict[int, str]:
    """What rows are called, by their place: the options in which they differ, else their runs."""
    return {place: group.row_label(row) or names_of(group, row) for place, row in enumerate(group.rows)}


def names_of(group: Group, row: Row) -> str:
    """The names of a row's runs, the first few of many; marked where few batches were used."""
    names = [group.short_name(run) for run in row.runs]
    if len(names) > MOST_NAMES:
        names = [*names[: MOST_NAMES - 1], "…", names[-1]]
    return ", ".join(names) + (" (few batches)" if row.limited else "")
