"""Searches among what is compared: the record beside the runs, and which run is which trial."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import fmean, mode

from fashseg.compare.runs import Run, Unreadable, find_runs, holds_runs, shown_path
from fashseg.files import in_full
from fashseg.summary import MAIN_SCORE
from fashseg.sweep.kept_study import NAME, Study, Trial, read_study
from fashseg.sweep.ranking import Cost, cost
from fashseg.untrusted import RefusedError

MOST_SEARCHES = 10  # on a page


@dataclass(frozen=True)
class Search:
    """A search and the runs of its trials.

    Attributes:
        study: its record.
        folder: where it is.
        name: of the folder, as it is shown.
        runs: by the number of its trial each run that was found.
    """

    study: Study
    folder: Path
    name: str
    runs: dict[int, Run]

    @property
    def label(self) -> str:
        """The first objective in words."""
        objective = self.study.objectives[0]
        return "validation score" if objective == "score" else objective

    @property
    def wanted(self) -> list[int | None]:
        """Epochs that each trial was to have; None where nothing tells them."""
        known = [_wanted(trial, self.study, self.runs.get(trial.number)) for trial in self.study.trials]
        given = [own for own in known if own is not None]
        usual = mode(given) if given and "epochs" not in self.study.space else None
        return [usual if own is None else own for own in known]

    @cached_property
    def cost(self) -> Cost:
        """What it took so far."""
        each = [_seconds_of_an_epoch(self.runs.get(trial.number)) for trial in self.study.trials]
        return cost(self.study, self.wanted, each)


def _seconds_of_an_epoch(run: Run | None) -> float | None:
    known = (
        [seconds for row in run.epochs if (seconds := row.get("seconds")) is not None and seconds >= 0] if run else []
    )
    return fmean(known) if known else None


def _wanted(trial: Trial, study: Study, run: Run | None) -> int | None:
    value = (run.options or {}).get("epochs") if run else None
    words = [word.partition("=")[2] for word in study.overrides if word.startswith("epochs=")]
    for found in (value, trial.params.get("epochs"), *reversed(words)):
        text = str(found)
        if text.isascii() and text.isdecimal() and len(text) < 7:
            return int(text)
    return None


def find(words: Sequence[str]) -> tuple[list[Run], list[Unreadable], list[Search]]:
    """The runs that paths name, what can't be read, and the searches that these runs are of.

    Raises:
        UserError: as `find_runs` does; a search without a run is none of its reasons.
    """
    empty = [word for word in words if _record_in(in_full("runs", word)) and not holds_runs(word)]
    rest = [word for word in words if word not in empty]
    runs, unreadable = find_runs(rest) if rest or not empty else ([], [])
    folders = [*(in_full("runs", word) for word in words), *(run.folder.path.parent for run in runs)]
    found = dict.fromkeys(folder.resolve() for folder in folders if _record_in(folder))
    searches = []
    for folder in found:
        try:
            searches.append(_search(read_study(folder), folder, runs))
        except (OSError, RefusedError) as error:
            unreadable.append(Unreadable(shown_path(folder / NAME), f"it can't be read: {error}"))
    return runs, unreadable, searches


def _record_in(folder: Path) -> bool:
    try:
        return (folder / NAME).is_file()
    except OSError:
        return False


def _search(study: Study, folder: Path, runs: Sequence[Run]) -> Search:
    by_path = {str(run.folder.path): run for run in runs}
    own: dict[int, Run] = {}
    trials = []
    for trial in study.trials:
        # A path of the record is compared with what was found, and never opened.
        path = os.path.normpath(folder / trial.folder) if trial.folder else ""
        run = by_path.get(path)
        if run is not None:
            own[trial.number] = run
            trial = replace(trial, intermediate=trial.intermediate or _scores_of(run, study))
        trials.append(trial)
    return Search(replace(study, trials=tuple(trials)), folder, shown_path(folder), own)


def _scores_of(run: Run, study: Study) -> dict[int, float]:
    """The validation score by epoch, of a search that did not note it."""
    column = f"val_{MAIN_SCORE[run.task]}"
    if study.objectives[0] != "score":
        return {}
    rows = [(row["epoch"], row.get(column)) for row in run.epochs]
    return {int(epoch): score for epoch, score in rows if epoch is not None and 0 <= epoch < 1e9 and score is not None}


def outside(runs: Sequence[Run], searches: Sequence[Search]) -> list[Run]:
    """Runs that are no trial of a search."""
    inside = {id(run) for search in searches for run in search.runs.values()}
    return [run for run in runs if id(run) not in inside]
