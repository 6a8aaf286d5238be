"""Runs that did the same, grouped: a table for each task and data set, a row for runs that differ by seed and fold."""

import math
import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashseg.compare.data_sets import other_images
from fashseg.compare.differing import differing_options, key
from fashseg.compare.runs import Run
from fashseg.data_place import PLACES
from fashseg.text import shown_option

# They say where a run was kept, how it was watched, or how it was measured; not what was computed.
NOT_COMPARED = (
    *("seed", "notes", "page", "plugins", "resume", "debug", "eval_batch_size", "eval_train", "score_flips"),
    *(*PLACES, "data.cache_gb", "data.download", "data.mirrors", "callbacks.progress", "trainer.profiler"),
)
NOT_COMPARED_GROUPS = ("logger.", "hydra.")
SPLIT_SEED = "data.split_seed"
AS_THE_SEED = "the seed"
IMAGES = "images"  # in place of an option, where those of one name differ
FOLD, EACH_FOLD = "data.fold", "each"
MOST_FOLDS = 1000  # as many as the option allows
MOST_ROWS = 50  # of a table


@dataclass(frozen=True)
class Row:
    """Finished runs that differ by seed and fold alone.

    Attributes:
        runs: at least one, by fold and seed.
        options: the values of the options in which rows differ; an option that the runs don't have is left out.
    """

    runs: tuple[Run, ...]
    options: dict[str, Any]

    def mean(self, part: str) -> float:
        """Mean main score of the runs."""
        return statistics.fmean(run.score(part) for run in self.runs)

    def deviation(self, part: str) -> float | None:
        """Sample standard deviation of the main score; None of one run, or of scores that are undefined."""
        scores = [run.score(part) for run in self.runs]
        if len(scores) < 2 or any(math.isnan(score) for score in scores):
            return None
        return statistics.stdev(scores)

    def average(self, name: str) -> float | None:
        """Mean of a number of results.json, None where a run lacks it."""
        values = [run.number(name) for run in self.runs]
        known = [value for value in values if value is not None]
        return statistics.fmean(known) if len(known) == len(values) else None

    @property
    def limited(self) -> bool:
        """Whether a run used few batches only."""
        return any(run.results.get("limited") for run in self.runs)

    @property
    def draws(self) -> list[str]:
        """Fold and seed of its runs."""
        return [_draw(run) for run in self.runs]


@dataclass(frozen=True)
class Group:
    """The finished runs of one task on one data set.

    Attributes:
        task: ``classification`` or ``segmentation``.
        data: name of the data set.
        options: those in which rows differ.
        rows: best mean validation score first.
    """

    task: str
    data: str
    options: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def runs(self) -> list[Run]:
        """All, row by row."""
        return [run for row in self.rows for run in row.runs]

    @property
    def shown(self) -> tuple[Row, ...]:
        """The best rows, as many as a table has room for."""
        return self.rows[:MOST_ROWS]

    @property
    def runs_shown(self) -> list[Run]:
        """Those of these rows."""
        return [run for row in self.shown for run in row.runs]

    @property
    def left_out(self) -> str:
        """How many rows are not shown, as a sentence; empty where all are."""
        more = len(self.rows) - len(self.shown)
        return f"The best {MOST_ROWS} by validation; {more:,} more are left out." if more else ""

    @property
    def synthetic(self) -> bool:
        """Whether the data were drawn by code."""
        return any(run.results.get("synthetic") for run in self.runs)

    @property
    def score_label(self) -> str:
        """The main score in words."""
        return "accuracy" if self.task == "classification" else "mean average precision by logits"

    @property
    def title(self) -> str:
        """Score and data set, as a heading."""
        synthetic = ", synthetic data" if self.synthetic else ""
        return f"{self.score_label[0].upper()}{self.score_label[1:]} on {self.data}{synthetic}"

    @property
    def folder(self) -> str:
        """What the names of all runs begin with; empty where they share nothing."""
        parents = [Path(run.name).parent for run in self.runs]
        if len({parent.is_absolute() for parent in parents}) > 1:  # below the current folder and elsewhere
            return ""
        shared = os.path.commonpath(parents)
        return "" if shared in (".", "/") else shared

    def short_name(self, run: Run) -> str:
        """The run's name below :attr:`folder`."""
        return os.path.relpath(run.name, self.folder) if self.folder else run.name

    def labels(self) -> dict[str, str]:
        """By the run's name a label that no other run of the group has: options that differ, and the seed."""
        plain = {run.name: self._label(row, run) for row in self.rows for run in row.runs}
        taken = list(plain.values())
        names = {run.name: self.short_name(run) for run in self.runs}
        return {
            name: label if label and taken.count(label) == 1 else " ".join(filter(None, [label, f"({names[name]})"]))
            for name, label in plain.items()
        }

    def row_label(self, row: Row) -> str:
        """Options that differ, short."""
        return ", ".join(f"{self._short(path)}={shown_option(value)}" for path, value in row.options.items())

    def _label(self, row: Row, run: Run) -> str:
        drawn = len({draw for other in self.rows for draw in other.draws}) > 1
        return ", ".join(filter(None, [self.row_label(row), _draw(run) if drawn else ""]))

    def _short(self, path: str) -> str:
        group, _, leaf = path.rpartition(".")
        if leaf == "name":
            return group
        alike = [other for other in self.options if other.rpartition(".")[2] == leaf]
        return leaf if len(alike) == 1 else path


def group_runs(runs: Sequence[Run]) -> list[Group]:
    """Finished runs by task and data set, in the order in which these first occur."""
    found: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        if run.finished:
            part = " (a part of it)" if run.results.get("partial") else ""
            found.setdefault((run.task, f"{run.results['data']}{part}"), []).append(run)
    return [_group(task, data, alike) for (task, data), alike in found.items()]


def _group(task: str, data: str, runs: list[Run]) -> Group:
    drawn = [run.options for run in runs if run.options and run.options.get(FOLD) is None]
    seeds = {key(options[SPLIT_SEED]) for options in drawn if SPLIT_SEED in options}
    compared = {run.name: _compared(run, len(seeds) > 1) for run in runs}
    for name, images in other_images(runs, compared).items():
        compared[name][IMAGES] = images
    differing = differing_options(compared.values())
    rows: dict[Any, list[Run]] = {}
    for run in runs:
        options = compared[run.name]
        alike: Any = tuple(key(options[path]) if path in options else None for path in differing)
        # Nobody knows in what a run without its configuration differs.
        rows.setdefault(run.name if run.options is None else alike, []).append(run)
    made = [
        Row(
            tuple(sorted(alike, key=lambda run: ((fold_of(run) or (0, 0))[0], run.number("seed") or 0))),
            {path: value for path, value in compared[alike[0].name].items() if path in differing},
        )
        for alike in rows.values()
    ]
    return Group(task, data, differing, tuple(sorted(made, key=_order)))


def _order(row: Row) -> tuple[bool, float]:
    score = row.mean("val")
    return math.isnan(score), -score


def _compared(run: Run, several_splits: bool) -> dict[str, Any]:
    """The options of a run that make it another experiment."""
    if run.options is None:
        return {}
    options = {
        path: value
        for path, value in run.options.items()
        if path not in NOT_COMPARED and not path.startswith(NOT_COMPARED_GROUPS)
    }
    precision = run.results.get("precision")
    if options.get("trainer.precision") == "auto" and isinstance(precision, str):
        options["trainer.precision"] = precision  # what it came to on that machine
    options.setdefault(FOLD, None)
    if options[FOLD] is None:
        options.pop("data.folds", None)
    else:
        options[FOLD] = EACH_FOLD
        options.pop("data.val_share", None)  # which counts for nothing there
    if several_splits and SPLIT_SEED in options and options[FOLD] is None and _follows_the_seed(run):
        options[SPLIT_SEED] = AS_THE_SEED
    return options


def fold_of(run: Run) -> tuple[int, int] | None:
    """Fold and number of folds; None of a run that is no part of a cross-validation."""
    fold, folds = run.results.get("fold"), run.results.get("folds")
    if type(fold) is not int or type(folds) is not int or not 0 <= fold < folds <= MOST_FOLDS:
        return None
    return fold, folds


def _draw(run: Run) -> str:
    known = fold_of(run)
    fold = f"fold {known[0]}, " if known else ""
    return f"{fold}seed {run.results.get('seed', '?')}"


def _follows_the_seed(run: Run) -> bool:
    """Whether the seed of the split is the run's own, rather than one that was chosen and happens to be equal."""
    assert run.options is not None
    if run.options[SPLIT_SEED] != run.options.get("seed"):
        return False
    words = run.results.get("overrides")
    return not (isinstance(words, list) and any(str(word).lstrip("+").startswith(f"{SPLIT_SEED}=") for word in words))
