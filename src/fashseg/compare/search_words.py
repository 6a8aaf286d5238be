"""A search in words: its trials counted, what pruning saved, values as they are shown.

The terminal and the page say the same.
"""

from fashseg.compare.searches import Search
from fashseg.sweep.kept_study import STATES, Searched, Study, Trial
from fashseg.sweep.preset import BEST, FOLDER, preset_command
from fashseg.sweep.ranking import best_of, command_of, own_words
from fashseg.text import counted, duration, listed, shown_option

ABSENT = "-"
_LETTERS = 40  # of a value in a table


def value_text(value: float | None) -> str:
    """A value of an objective: a score to four places, a count in full."""
    if value is None:
        return ABSENT
    if abs(value) >= 1000:
        return f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.4g}"
    return f"{value:.4f}" if abs(value) >= 0.001 or value == 0 else f"{value:.3g}"


def param_text(word: str) -> str:
    """A value as it was typed, a number to four digits."""
    number = as_number(word)
    if number is not None and not word.lstrip("+-").isdecimal():
        return f"{number:.4g}"
    return word if len(word) <= _LETTERS else f"{word[: _LETTERS - 1]}…"


def as_number(word: str) -> float | None:
    """The number that a word is; None where it is none."""
    try:
        value = float(word)
    except ValueError:
        return None
    return value if abs(value) <= 1e30 else None


def searched_text(searched: Searched) -> str:
    """Where an option was searched."""
    if searched.kind == "choice":
        words = [param_text(choice) for choice in searched.choices]
        return ", ".join(words[:12]) + (f" and {len(words) - 12} more" if words[12:] else "")
    ends = f"{shown_option(searched.low)} to {shown_option(searched.high)}"
    kind = ", whole numbers" if searched.kind == "int" else ""
    log = ", logarithmic" if searched.log else ""
    return ends + kind + log + (f", in steps of {shown_option(searched.step)}" if searched.step else "")


def states_text(study: Study) -> str:
    """How many trials are in which state, of how many."""
    counts = [f"{study.count(state)} {state}" for state in STATES if study.count(state)]
    return f"{listed(counts) or 'no trial yet'}, of {study.n_trials} wanted"


def progress_lines(study: Study) -> list[str]:
    """What is still missing; empty of a search that has come to its end."""
    if study.done >= study.n_trials:
        return []
    return [
        f"{study.name} has come to {study.done} of {counted(study.n_trials, 'trial')} so far: it goes on, or was ended "
        "before its time; the same command goes on with it."
    ]


def lost_lines(study: Study) -> list[str]:
    """What became of trials whose process was killed."""
    lost = study.count("lost")
    was = "was" if lost == 1 else "were"
    return [f"{counted(lost, 'trial')} {was} lost when the process ended: tried again, not counted."] if lost else []


def cost_lines(search: Search) -> list[str]:
    """Time and epochs, and what pruning has saved of both."""
    spent = search.cost
    lines = [f"{duration(spent.seconds)} of all trials together, {counted(spent.epochs, 'epoch')}"]
    if spent.planned and spent.planned > spent.epochs:
        share = 1 - spent.epochs / spent.planned
        saved = f", about {duration(spent.saved)} saved" if spent.saved is not None else ""
        lines.append(f"pruning: {spent.epochs:,} of {spent.planned:,} epochs were run, {share:.0%} less{saved}")
    return lines


def commands_of_best(search: Search) -> list[tuple[str, str]]:
    """What the commands for the best trial do, and the commands; the preset where it is there."""
    best = best_of(search.study)
    if best is None:
        return []
    found = [(f"Trains trial {best.number} again, the best on validation", command_of(search.study, best))]
    try:
        there = (search.folder / FOLDER / f"{BEST}.yaml").is_file()
    except OSError:
        there = False
    if there:
        words = own_words(search.study, best)
        found.append(("The same by the preset that the search has written", preset_command(search.name, words)))
    return found


def best_text(search: Search) -> str:
    """The best trial and its values, or that there is none."""
    best = best_of(search.study)
    if best is None:
        return "no trial is finished yet"
    names = [search.label, *search.study.objectives[1:]]
    values = [f"{name} {value_text(value)}" for name, value in zip(names, best.values, strict=True)]
    first = " (best in the first objective)" if len(values) > 1 else ""
    return f"trial {best.number}: {listed(values)}{first}"


def error_text(trial: Trial) -> str:
    """The error of a trial on one line."""
    return " ".join((trial.error or "no error is noted").split())[:400]
