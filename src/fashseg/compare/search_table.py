"""A search in the terminal."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fashseg.compare.search_words import (
    ABSENT,
    best_text,
    commands_of_best,
    cost_lines,
    error_text,
    lost_lines,
    param_text,
    progress_lines,
    states_text,
    value_text,
)
from fashseg.compare.searches import Search
from fashseg.sweep.ranking import ranked
from fashseg.text import duration

MOST_ROWS = 10
_MOST_OPTIONS = 8
_MOST_ERRORS = 3


def print_search(screen: Console, search: Search) -> None:
    """The best trials, the states of all, what they took, and the command of the best."""
    study = search.study
    best = ranked(study)
    if best:
        options = _columns(search)
        title = f"Search {study.name}: best {min(len(best), MOST_ROWS)} of {len(best)} finished trials in {search.name}"
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
        table.add_column("trial", justify="right")
        for name in [search.label, *study.objectives[1:]]:
            table.add_column(name, justify="right")
        for path in options:
            table.add_column(path)
        for name in ("epochs", "time"):
            table.add_column(name, justify="right")
        for place, trial in enumerate(best[:MOST_ROWS]):
            values = [Text(value_text(value), style="" if place else "bold") for value in trial.values]
            params = [param_text(trial.params[path]) if path in trial.params else ABSENT for path in options]
            time = ABSENT if trial.seconds is None else duration(trial.seconds)
            table.add_row(str(trial.number), *values, *params, str(trial.epochs or ABSENT), time)
        screen.print(table)
    screen.print(f"{study.name}: {states_text(study)}")
    for line in [*cost_lines(search), *progress_lines(study), *lost_lines(study)]:
        screen.print(line)
    failed = [trial for trial in study.trials if trial.state == "failed"]
    for trial in failed[:_MOST_ERRORS]:
        screen.print(f"trial {trial.number} failed: {error_text(trial)}")
    if failed[_MOST_ERRORS:]:
        screen.print(f"{len(failed) - _MOST_ERRORS} more failed: see the page")
    screen.print(f"best by validation: {best_text(search)}")
    for _, command in commands_of_best(search):
        screen.print(f"  {command}")


def _columns(search: Search) -> list[str]:
    """Options that are shown: all, or the most important of many."""
    study = search.study
    names = list(study.space) or list(dict.fromkeys(name for trial in study.trials for name in trial.params))
    if study.importance:
        names.sort(key=lambda name: -(study.importance or {}).get(name, 0.0))
    return names[:_MOST_OPTIONS]
