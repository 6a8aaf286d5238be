"""Finds run folders by the words of the command line, and reads what is compared of each."""

import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fashseg.compare.older import with_newer_options
from fashseg.errors import UserError
from fashseg.files import in_full
from fashseg.report.plausible import check_scores
from fashseg.run import RunFolder
from fashseg.summary import MAIN_SCORE, class_scores, main_score
from fashseg.text import all_printable, printable

Epoch = dict[str, float | None]

# What Hydra leaves beside the runs of a sweep; a pattern such as sweep/* names them too.
MOST = 1e18  # beyond it is no count, time or size that anybody has measured
MOST_FOLDERS = 100_000  # that are looked through for runs

OF_A_SWEEP = ("multirun.yaml", "optimization_results.yaml", "study.json", "study.journal", "compare.html")


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        folder: where it is.
        name: its path as it is shown, from the current folder where it is below it.
        results: results.json, checked as far as it is compared.
        options: every option by its dotted path; None where config.yaml is missing or can't be read.
    """

    folder: RunFolder
    name: str
    results: dict[str, Any]
    options: dict[str, Any] | None

    @property
    def finished(self) -> bool:
        """Whether it has been trained and tested to its end."""
        return bool(self.results["status"] == "finished")

    @property
    def task(self) -> str:
        """``classification`` or ``segmentation``."""
        return str(self.results["task"])

    def score(self, part: str) -> float:
        """The main score on ``val`` or ``test``; nan where it is undefined."""
        return _main_score(self.results, part)

    def by_class(self, part: str) -> dict[str, float]:
        """The main score class by class; nan for a class that is absent."""
        scores = class_scores(self.task, self.results[part])
        return {name: math.nan if value is None else float(value) for name, value in scores.items()}

    def number(self, name: str) -> float | None:
        """A number of results.json; None where there is none."""
        value = self.results.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > MOST:
            return None
        return float(value)

    def entry(self, group: str, name: str) -> Any:
        """An entry of a group in results.json, a fingerprint for example; None where either is missing."""
        values = self.results.get(group)
        return values.get(name) if isinstance(values, dict) else None

    @cached_property
    def epochs(self) -> list[Epoch]:
        """The rows of metrics.csv that are of an epoch; empty cells, and those that hold no number, are None."""
        try:
            return [row for row in self.folder.read_metrics() if row.get("epoch") is not None]
        except (OSError, ValueError):
            return []


@dataclass(frozen=True)
class Unreadable:
    """What was named or found and is no run that can be compared: where, and why."""

    name: str
    why: str


def find_runs(words: Sequence[str]) -> tuple[list[Run], list[Unreadable]]:
    """The runs that paths name, each once: run folders, and all that is below other folders.

    Raises:
        UserError: no words, a path that does not exist, a folder without runs, or nothing that can be read.
    """
    if not words:
        raise UserError("no runs are named.", "Name run folders, or folders that hold such: outputs, or a sweep.")
    runs: dict[Path, Run] = {}
    errors: dict[Path, UserError] = {}
    for word in words:
        for path in _run_folders(word):
            real = path.resolve()
            if real in runs or real in errors:
                continue
            try:
                runs[real] = load_run(real)
            except UserError as error:
                errors[real] = error
    if not runs:
        if errors:
            raise next(iter(errors.values()))
        raise UserError(f"{words[0]} is no run folder.", "Name folders that train has made.")
    return list(runs.values()), [Unreadable(shown_path(path), error.what) for path, error in errors.items()]


def _run_folders(word: str) -> list[Path]:
    path = in_full("runs", word)
    if path.name == "conf" and _is_there(path.parent / "study.json"):
        return []
    if _is_there(path) and path.is_dir():
        found = list(_below(path))
        if not found:
            raise UserError(f"{word} holds no runs.", "Name a folder that train has made, or one above it.")
        return found
    if not _is_there(path):
        raise UserError(f"{word} does not exist.", "Name run folders, or folders that hold such.")
    if path.name == "results.json":
        return [path.parent]
    return [] if path.name in OF_A_SWEEP else [path]


def holds_runs(word: str) -> bool:
    """Whether a path names a run or a folder that holds some.

    Raises:
        UserError: there is too much to look through.
    """
    path = in_full("runs", word)
    return not path.is_dir() or next(iter(_below(path)), None) is not None


def _below(folder: Path) -> Iterator[Path]:
    """Run folders at or below a folder. Links to runs come after what is no link; other links are not followed."""
    # Not by recursion, which has an end that folders may go beyond; the last one is looked at next.
    ahead = [folder]
    looked_at = 0
    while ahead:
        path = ahead.pop()
        looked_at += 1
        if looked_at > MOST_FOLDERS:
            raise UserError(
                f"{folder} holds more than {MOST_FOLDERS:,} folders, which are too many to look through.",
                "Name a folder that is nearer to the runs.",
            )
        if _is_there(RunFolder(path).results):
            yield path
        elif path == folder or not path.is_symlink():
            ahead += reversed(_folders_in(path))


def _is_there(path: Path) -> bool:
    """Whether it exists, as far as one may look."""
    try:
        return path.exists()
    except OSError:
        return False


def _folders_in(path: Path) -> list[Path]:
    """Folders and links to folders, without those that are hidden."""
    try:
        with os.scandir(path) as entries:
            inside = [(entry.is_symlink(), _natural(entry.name), entry.name) for entry in entries if _is_folder(entry)]
    except OSError:  # somebody else's, or too deep
        return []
    return [path / name for _, _, name in sorted(inside)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return not entry.name.startswith(".") and entry.is_dir()
    except OSError:
        return False


def _natural(name: str) -> list[tuple[int, str]]:
    """Orders 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def load_run(path: Path) -> Run:
    """Read a run folder.

    Raises:
        UserError: results.json is missing, broken, or has not what is compared.
    """
    folder = RunFolder(path)
    results = all_printable(folder.read_results())
    missing = _missing(results)
    if missing:
        raise UserError(
            f"{folder.results} is of another version, or was changed: {missing}.",
            "Leave this run out, or run it again.",
        )
    return Run(folder, shown_path(path), results, _options(folder))


def _missing(results: dict[str, Any]) -> str:
    for name, known in (("task", tuple(MAIN_SCORE)), ("data", None), ("status", None)):
        value = results.get(name)
        if not isinstance(value, str):
            return f"it has no {name}"
        if known and value not in known:
            return f"{name}={value} is none of {', '.join(known)}"
    if results["status"] == "finished":
        for part in ("val", "test"):
            try:
                check_scores(results["task"], results[part])
            except (KeyError, TypeError, AttributeError):
                return f"it has no {part} scores that can be read"
            except ValueError as error:
                return f"its {part} scores can't be compared: {error}"
    return ""


def _main_score(results: dict[str, Any], part: str) -> float:
    name = MAIN_SCORE[results["task"]]
    value = results[part][name]
    if (value["mean"] if isinstance(value, dict) else value) is None:
        return math.nan
    return main_score(results["task"], results[part])


def _options(folder: RunFolder) -> dict[str, Any] | None:
    try:
        options = with_newer_options(folder.read_options())
    except UserError:
        return None
    return {str(printable(path)): all_printable(value) for path, value in options.items()}


def shown_path(path: Path) -> str:
    """A path as it is shown, from the current folder where it is below it."""
    here = Path.cwd()
    return printable(os.path.relpath(path, here) if path.is_relative_to(here) and path != here else str(path))
