"""The sections of a page that are about a search."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

from fashseg.compare.search_charts import curves, front_chart, history, importance, option_slices, options_and_score
from fashseg.compare.search_words import (
    ABSENT,
    as_number,
    best_text,
    commands_of_best,
    cost_lines,
    error_text,
    lost_lines,
    param_text,
    progress_lines,
    searched_text,
    states_text,
    value_text,
)
from fashseg.compare.searches import Search
from fashseg.pages.blocks import Block, Cell, Code, Facts, Folded, Section, Table, Text
from fashseg.sweep.kept_study import Trial
from fashseg.sweep.ranking import best_of, front, ranked
from fashseg.text import counted, duration

MOST_ROWS = 50
_MOST_FOLDED = 1000  # of the other trials, a line each
_MOST_ERRORS = 20
_MOST_SEARCHED = 100

_CHARTS: tuple[tuple[str, str, Callable[[Search], list[Block]]], ...] = (
    ("History", "history", history),
    ("Importance of the options", "importance", importance),
    ("Option by option", "slices", option_slices),
    ("All options at once", "parallel", options_and_score),
    ("Curves of the trials", "trial-curves", curves),
)


def sections_of(search: Search, suffix: str) -> list[Section]:
    """What the search came to, its trials, and its pictures."""
    name = f" {search.study.name}" if suffix else ""
    made = [Section(f"Search{name or ' ' + search.study.name}", f"search{suffix}", _overview(search))]
    if len(search.study.objectives) > 1 and (on_front := front(search.study)):
        made.append(Section(f"Pareto front{_of(name)}", f"front{suffix}", _front(search, on_front)))
    for title, anchor, draw in _CHARTS:
        if blocks := draw(search):
            made.append(Section(f"{title}{_of(name)}", f"{anchor}{suffix}", blocks))
    made += [Section(f"Trials{_of(name)}", f"trials{suffix}", _trials(search))] if search.study.trials else []
    if failed := [trial for trial in search.study.trials if trial.state == "failed"]:
        made.append(Section(f"Failed trials{_of(name)}", f"failed{suffix}", [_errors(failed)]))
    return made


def _of(name: str) -> str:
    return f" of{name}" if name else ""


def headline(search: Search) -> str:
    """The result in one line."""
    best = best_of(search.study)
    if best is None:
        return f"Search {search.study.name}: no trial is finished yet"
    return f"Search {search.study.name}: {search.label} {value_text(best.value())} in trial {best.number}"


def summary(search: Search) -> list[str]:
    """Sentences below it."""
    study = search.study
    lines = [f"{study.name}: {states_text(study)}; {'; '.join(cost_lines(search))}."]
    if len(ranked(study)) > 1 and study.objectives[0] == "score":
        lines.append(
            f"The best of {len(ranked(study))} scores on the same validation images is flattered by the choice; the "
            "test images decided nothing and tell how far."
        )
    return lines


def _overview(search: Search) -> list[Block]:
    study = search.study
    facts = [
        ("best by validation", best_text(search)),
        ("trials", states_text(study)),
        ("spent", "; ".join(cost_lines(search))),
        ("sampler and pruner", f"{study.sampler}, {study.pruner}"),
        ("objectives", ", ".join(f"{o}, {d}d" for o, d in zip(study.objectives, study.directions, strict=True))),
        ("folder", search.name),
    ]
    blocks: list[Block] = [Facts(facts)]
    blocks += [Code(text, label) for label, text in commands_of_best(search)]
    if lines := [*progress_lines(study), *lost_lines(study)]:
        blocks.append(Text(lines))
    if study.space:
        blocks.append(_space(search))
    if study.command:
        blocks.append(Code(study.command, "The search itself; the same command goes on with it"))
    return blocks


def _space(search: Search) -> Table:
    best = best_of(search.study)
    rows = []
    for path, searched in list(search.study.space.items())[:_MOST_SEARCHED]:
        word = best.params.get(path) if best else None
        rows.append([Cell(path), Cell(searched_text(searched)), Cell(ABSENT if word is None else param_text(word))])
    return Table(
        ["option", "searched", "best trial"], rows, "Where each option was searched, and the best trial's value"
    )


def _columns(search: Search) -> list[str]:
    names = list(search.study.space) or [name for trial in search.study.trials for name in trial.params]
    return list(dict.fromkeys(names))[:_MOST_SEARCHED]


def _trials(search: Search) -> list[Block]:
    """The best trials in a table, the others folded."""
    study = search.study
    best = ranked(study)
    rest = [trial for trial in study.trials if trial.value() is None]
    sign = -1 if study.maximises() else 1
    rest.sort(key=lambda t: (t.state != "pruned", t.state, math.inf if t.last is None else sign * t.last, t.number))
    order = [*best, *rest]
    shown, folded = order[:MOST_ROWS], order[MOST_ROWS:]
    caption = "Best value on validation first, then those without one: pruned, failed, lost, running."
    if folded:
        caption += f" The first {MOST_ROWS} of {len(order):,}; the others are folded below."
    table = _table(search, shown, caption)
    if not folded:
        return [table]
    lines = [_line(trial) for trial in folded[:_MOST_FOLDED]]
    if folded[_MOST_FOLDED:]:
        lines.append(f"and {len(folded) - _MOST_FOLDED:,} more, which are in study.json alone")
    return [table, Folded(f"The other {counted(len(folded), 'trial')}", "\n".join(lines))]


def _table(search: Search, trials: Sequence[Trial], caption: str) -> Table:
    options = _columns(search)
    values = [search.label, *search.study.objectives[1:]]
    columns = ["state", "trial", *values, "last score", *options, "epochs", "time"]
    numeric = {1, *range(2, 3 + len(values)), len(columns) - 2, len(columns) - 1}
    first = 3 + len(values)
    for place, path in enumerate(options, start=first):
        given = [trial.params[path] for trial in trials if path in trial.params]
        if given and all(as_number(word) is not None for word in given):
            numeric.add(place)
    strong = best_of(search.study)
    rows = []
    for trial in trials:
        cells = [Cell(trial.state), Cell(str(trial.number), trial.number)]
        for objective in range(len(values)):
            value = trial.value(objective)
            cells.append(Cell(value_text(value), value, strong=trial is strong and objective == 0))
        cells.append(Cell(value_text(trial.last), trial.last))
        cells += [_param(trial, path) for path in options]
        cells.append(Cell(str(trial.epochs or ABSENT), trial.epochs or None))
        cells.append(Cell(ABSENT if trial.seconds is None else duration(trial.seconds), trial.seconds))
        rows.append(cells)
    if all(trial.value() == trial.last or trial.last is None for trial in trials):
        rows = [[cell for place, cell in enumerate(row) if place != first - 1] for row in rows]
        columns.pop(first - 1)
        numeric = {place if place < first - 1 else place - 1 for place in numeric - {first - 1}}
    return Table(columns, rows, caption, frozenset(numeric))


def _param(trial: Trial, path: str) -> Cell:
    word = trial.params.get(path)
    return Cell(ABSENT) if word is None else Cell(param_text(word), as_number(word))


def _line(trial: Trial) -> str:
    value = trial.value() if trial.value() is not None else trial.last
    params = ", ".join(f"{name}={param_text(word)}" for name, word in trial.params.items())
    return f"{trial.number}: {trial.state}, {value_text(value)}, {counted(trial.epochs, 'epoch')}: {params}"


def _front(search: Search, on_front: Sequence[Trial]) -> list[Block]:
    said = [
        f"{counted(len(on_front), 'trial')}, than which no other is as good in every objective and better in one. "
        "Which of them is wanted is for the reader to say: the command above is of the best in the first objective."
    ]
    table = _table(search, on_front[:MOST_ROWS], "The front, the best in the first objective first")
    return [Text(said), *front_chart(search, on_front), table]


def _errors(failed: Sequence[Trial]) -> Table:
    """Each error once, with how many trials it ended."""
    counts = Counter(error_text(trial) for trial in failed)
    first: dict[str, Trial] = {}
    for trial in failed:
        first.setdefault(error_text(trial), trial)
    rows = [
        [Cell(error), Cell(str(count), count), Cell(_line(first[error]))]
        for error, count in counts.most_common(_MOST_ERRORS)
    ]
    more = len(counts) - _MOST_ERRORS
    caption = "What went wrong, the most frequent first" + (f"; {more} more errors are left out" if more > 0 else "")
    return Table(["error", "trials", "the first of them"], rows, caption, frozenset({1}))
