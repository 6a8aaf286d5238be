"""The comparison as a page."""

from collections.abc import Sequence

from fashseg import __version__
from fashseg.compare import over_folds_page, search_page
from fashseg.compare.crossed import runs_in_words, units_of
from fashseg.compare.details import ABSENT, curves, is_number, options, side_by_side, titled, value_of
from fashseg.compare.noise import COVERS, Noise, pair_of
from fashseg.compare.notes import notes, same_validation_images
from fashseg.compare.rows import Group, Row
from fashseg.compare.runs import Run, Unreadable
from fashseg.compare.search_words import progress_lines
from fashseg.compare.searches import MOST_SEARCHES, Search, outside
from fashseg.compare.table import MOST_OTHERS, best_of, cost_texts, names_of, others_of, score_text
from fashseg.compare.verdicts import (
    between,
    commands,
    row_difference,
    why_no_intervals,
)
from fashseg.pages.blocks import Block, Cell, Code, Page, Section, Table, Text
from fashseg.text import duration, listed, shown_option, signed

FEW = 3  # trials of a search whose missing evidence is offered


def build_page(
    groups: Sequence[tuple[Group, Noise]],
    others: Sequence[Run],
    unreadable: Sequence[Unreadable],
    searches: Sequence[Search] = (),
) -> Page:
    """All tables, curves and differences, searches first.

    Args:
        groups: each with its intervals.
        others: runs that are not finished.
        unreadable: what is no run that can be compared.
        searches: those that the runs are trials of.
    """
    sections = []
    for number, search in enumerate(searches[:MOST_SEARCHES], start=1):
        sections += search_page.sections_of(search, f"-{number}" if len(searches) > 1 else "")
    alone = {run.name for run in outside([run for group, _ in groups for run in group.runs], searches)}
    for number, (group, noise) in enumerate(groups, start=1):
        searched = not any(run.name in alone for run in group.runs)
        sections += _sections_of(group, noise, f"-{number}" if len(groups) > 1 else "", searched)
    if others or unreadable:
        sections.append(_not_compared(others, unreadable))
    count = sum(len(group.runs) for group, _ in groups)
    return Page(
        title=f"Comparison of {count} runs" if count != 1 else "Comparison of one run",
        headline=search_page.headline(searches[0]) if len(searches) == 1 else _headline([group for group, _ in groups]),
        summary=[
            *(line for search in searches[:MOST_SEARCHES] for line in search_page.summary(search)),
            *(line for group, _ in groups for line in _summary(group)),
        ],
        warnings=[
            *_warnings([group for group, _ in groups], others, unreadable),
            *(line for search in searches[:MOST_SEARCHES] for line in progress_lines(search.study)),
            *_more_searches(searches),
        ],
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
    if same_validation_images(group):
        return f"{group.title}; best on validation: {group.row_label(group.rows[0]) or names_of(group, group.rows[0])}"
    return f"{group.title}: {len(group.rows)} settings, validated on different images"


def _summary(group: Group) -> list[str]:
    best = group.rows[0]
    runs = runs_in_words(best)
    name = group.row_label(best) or names_of(group, best)
    scores = [score_text(best, part).replace(" ", "\u00a0") for part in ("val", "test")]
    if len(group.rows) == 1:
        return [f"{group.data}, {runs}: {scores[0]} on validation images, {scores[1]} on test images."]
    if not same_validation_images(group):
        return [f"{group.data}: which of the {len(group.rows)} settings is best can't be told by validation."]
    return [
        f"{group.data}: of {len(group.rows)} settings, {name} has the best validation score "
        f"({scores[0]}, {runs}); on test images it reaches {scores[1]}."
    ]


def _warnings(groups: Sequence[Group], others: Sequence[Run], unreadable: Sequence[Unreadable]) -> list[str]:
    lines = [
        f"Synthetic data: the images of {group.data} were drawn by code. The scores say nothing about real ones."
        for group in groups
        if group.synthetic
    ]
    if any(row.limited for group in groups for row in group.rows):
        lines.append("Some runs used only some batches (trainer.limit_batches or overfit_batches): they are marked.")
    count = len(others) + len(unreadable)
    if count:
        verb = "is" if count == 1 else "are"
        lines.append(f"{count} more {verb} not compared; the end of the page says why.")
    return lines


def _more_searches(searches: Sequence[Search]) -> list[str]:
    names = ", ".join(search.name for search in searches[MOST_SEARCHES:])
    return [f"The page shows {MOST_SEARCHES} searches. For the others name their folders: {names}."] if names else []


def _sections_of(group: Group, noise: Noise, suffix: str, searched: bool) -> list[Section]:
    """Of one table; of trials of a search the pictures are left out that the search has itself."""
    blocks: list[Block] = [_table(group, noise)]
    said = [*filter(None, [group.left_out]), *notes(group), *_about_intervals(group, noise)]
    if said:
        blocks.append(Text(said))
    missing = commands(noise) if len(group.runs) > 1 else []
    if missing:
        # A search is made without pages as a rule; who doubts its best trials wants the evidence of these.
        few = searched and len(missing) > FEW
        label = "Makes the evidence that is missing" + (f", of the best {FEW} trials" if few else "")
        blocks.append(Code("\n".join(missing[:FEW] if few else missing), label))
    sections = [Section(group.title, f"table{suffix}", blocks)]
    if (over_folds := over_folds_page.section(group, suffix)) is not None:
        sections.append(over_folds)
    pair = pair_of(group)
    if pair is not None:
        sections.append(side_by_side(group, pair, noise, suffix))
    drawn = () if searched else (curves(group, suffix), options(group, suffix))
    for section in (*drawn, _runs(group, suffix)):
        if section is not None:
            sections.append(section)
    return sections


def _table(group: Group, noise: Noise) -> Table:
    columns = ["run", *group.options, "runs", "validation", "test", "test: difference from the first row"]
    columns += ["parameters", "training"]
    best = {part: best_of(group, part) for part in ("val", "test")}
    rows = []
    for row in group.shown:
        scores = [Cell(score_text(row, part), value_of(row.mean(part)), strong=row is best[part]) for part in best]
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
    units = list(dict.fromkeys(unit for row in group.rows if len(row.runs) > 1 for unit in units_of(row)))
    deviation = f" ± is the sample standard deviation over {listed(units)}." if units else ""
    compared = " Differences have 95% intervals over the test images; bold ones leave out 0." if noise.tested else ""
    caption = f"Best validation score first.{deviation}{compared}{where}"
    numeric |= set(range(first, len(columns)))
    return Table(columns, rows, caption, frozenset(numeric))


def _difference(group: Group, row: Row, noise: Noise) -> Cell:
    """Difference from the best, with its interval; in bold where it is beyond noise."""
    if row is group.rows[0]:
        return Cell("best" if len(group.rows) > 1 else ABSENT, 0.0)
    difference, interval = row_difference(group, row, noise)
    if interval is None:
        return Cell(f"{signed(difference)} (no interval)", value_of(difference))
    text = f"{signed(difference)} {between(interval, -1)}"
    return Cell(text, value_of(difference), strong=interval.beyond_noise(-1))


def _option(row: Row, path: str) -> Cell:
    if path not in row.options:
        return Cell(ABSENT)
    value = row.options[path]
    return Cell(shown_option(value), float(value) if is_number(value) else None)


def _is_numeric(group: Group, path: str) -> bool:
    return all(is_number(row.options[path]) for row in group.rows if path in row.options)


def _about_intervals(group: Group, noise: Noise) -> list[str]:
    if len(group.runs) < 2:
        return []
    if pair_of(group) is not None:
        return []  # said there
    return [*([COVERS] if noise.tested else []), *why_no_intervals(group, noise)]


def _runs(group: Group, suffix: str) -> Section | None:
    """Run by run, so that no mean hides one."""
    if len(group.rows) == len(group.runs):
        return None
    labels = group.labels()
    rows = []
    for run in group.runs_shown:
        scores = [Cell(f"{run.score(part):.4f}", value_of(run.score(part))) for part in ("val", "test")]
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
    return Section(titled("Run by run", group, suffix), f"runs{suffix}", [table])


def _not_compared(others: Sequence[Run], unreadable: Sequence[Unreadable]) -> Section:
    rows = [[Cell(text) for text in line] for line in others_of(others, unreadable)]
    caption = "In no table and no mean above"
    if rows[MOST_OTHERS:]:
        caption += f"; the first {MOST_OTHERS} of {len(rows):,}"
    return Section("Not compared", "others", [Table(["run", "status", "why"], rows[:MOST_OTHERS], caption)])
