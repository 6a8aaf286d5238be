"""What a finished run says on the screen: its scores beside the published ones, and what to look at."""

import os
import statistics
import sys
from typing import TYPE_CHECKING, Any

from fashseg.commands import as_typed
from fashseg.data_place import OWN
from fashseg.run import RunFolder
from fashseg.text import counted, printable

if TYPE_CHECKING:  # who only asks for a score does without
    from rich.console import Console
    from rich.table import Table

_PARTS = ("train", "val", "test")
MAIN_SCORE = {"classification": "accuracy", "segmentation": "average_precision"}


def console() -> "Console":
    """Prints text as it is but for what would command the terminal; long lines stay where nobody looks at one."""
    from rich.console import Console
    from rich.text import Text

    class Printing(Console):
        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(printable(text), **options)

    wide = None if sys.stdout.isatty() else 200
    return Printing(highlight=False, markup=False, emoji=False, soft_wrap=True, width=wide)


def main_score(task: str, scores: dict[str, Any]) -> float:
    """Accuracy, or mean average precision by logits."""
    value = scores[MAIN_SCORE[task]]
    return float(value["mean"] if isinstance(value, dict) else value)


def class_scores(task: str, scores: dict[str, Any]) -> dict[str, float]:
    """The main score class by class."""
    values = scores["accuracy_per_class" if task == "classification" else "average_precision"]
    return {name: value for name, value in values.items() if name != "mean"}


def fold_of(results: dict[str, Any]) -> str:
    """``fold 2 of 5`` for a run of a cross-validation, counted from 0; empty for others."""
    fold, folds = results.get("fold"), results.get("folds")
    known = type(fold) is int and type(folds) is int and 0 <= fold < folds
    return f"fold {fold} of {folds}" if known else ""


def _table(title: str) -> "Table":
    from rich import box
    from rich.table import Table

    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)


def score_table(results: dict[str, Any]) -> "Table":
    """Class by class: validation, test, published, difference."""
    from fashseg.published import PUBLISHED, Published  # brings NumPy

    task = results["task"]
    comparable = not (results.get("limited") or results.get("partial"))
    published = PUBLISHED.get(results["data"], Published({}, {})).test if comparable and "test" in results else {}
    title = {"classification": "Accuracy", "segmentation": "Average precision by logits"}[task]
    note = " on synthetic data" if results.get("synthetic") else ""
    note += ", of a part of the data set" if results.get("partial") else ""
    note += ", of few batches only" if results.get("limited") else ""
    note += f", {fold}" if (fold := fold_of(results)) else ""
    table = _table(f"{title}{note}")
    table.add_column("class")
    parts = [part for part in _PARTS if part in results]
    for name in [*parts, *(["published", "difference"] if published else [])]:
        table.add_column(name, justify="right")
    columns = {part: class_scores(task, results[part]) for part in parts}
    for name in next(iter(columns.values())):
        table.add_row(name, *_cells([columns[part][name] for part in parts], published.get(name)))
    table.add_section()
    overall = [main_score(task, results[part]) for part in parts]
    table.add_row("all", *_cells(overall, published.get("all")), style="bold")
    return table


def flips_in_words(results: dict[str, Any]) -> str:
    """Scores of images averaged with their mirror images, which stand in no table: others look at an image once."""
    flips = {part: main_score(results["task"], results["flips"][part]) for part in _PARTS if part in results["flips"]}
    scores = [f"{part} {_cells([score], None)[0]}" for part, score in flips.items()]
    return f"averaged with mirror images, two looks at each: {', '.join(scores)}"


def _cells(values: list[float], published: float | None) -> list[str]:
    cells = ["absent" if value != value else f"{value:.3f}" for value in values]
    if published is None:
        return cells
    return [*cells, f"{published:.3f}", f"{values[-1] - published:+.3f}"]


def print_summary(folder: RunFolder, results: dict[str, Any]) -> None:
    """The table, other scores in a line, and the paths."""
    screen = console()
    screen.print(score_table(results))
    if results["task"] == "segmentation":
        test = results["test"]
        screen.print(
            f"test: mean average precision by softmax {test['average_precision_softmax']['mean']:.3f}, "
            f"pixel accuracy {test['pixel_accuracy']:.3f}, mean IoU {test['iou']['mean']:.3f}"
        )
    if "flips" in results:
        screen.print(flips_in_words(results))
    screen.print(
        f"{counted(results['epochs_run'], 'epoch')} in {results['train_seconds']:.0f} s of training "
        f"(validation not counted), {results['images_per_second']:.0f} images a second, "
        f"precision {results['precision']}"
    )
    if skipped := results.get("skipped_steps"):
        screen.print(f"{skipped} steps of training were left out, for their loss was not finite: see run.log")
    if results.get("val_images_of_trained_buildings"):
        screen.print(
            f"{results['val_images_of_trained_buildings']} of {results['images']['val']} validation images show a "
            f"{'group' if results['data'] in OWN else 'building'} that is trained on: validation flatters this model."
        )
    if folder.page.is_file():
        screen.print(f"page        {folder.page}")
    screen.print(f"results     {folder.results}\ncurves      {folder.metrics}\nweights     {folder.checkpoint('best')}")
    if folder.tensorboard.is_dir():
        screen.print(f"TensorBoard tensorboard --logdir {folder.tensorboard}")


def print_sweep(folders: list[RunFolder]) -> None:
    """A line of scores for each run of a sweep."""
    table = _table("Sweep")
    for name in ("run", "changed", "status"):
        table.add_column(name)
    for name in ("val", "test"):
        table.add_column(name, justify="right")
    records = [folder.read_results() for folder in folders]
    typed = [list(map(as_typed, results["overrides"])) for results in records]
    common = set.intersection(*map(set, typed)) if len(typed) > 1 else set()
    for folder, results, words in zip(folders, records, typed, strict=True):
        scores = [
            f"{main_score(results['task'], results[part]):.4f}" if part in results else "-" for part in ("val", "test")
        ]
        changed = " ".join(word for word in words if word not in common)
        table.add_row(os.path.relpath(folder.path), changed, results["status"], *scores)
    screen = console()
    screen.print(table)
    for line in _settings(records):
        screen.print(line)


def _settings(records: list[dict[str, Any]]) -> list[str]:
    """Mean and deviation of the finished runs of a sweep that differ by seed and fold alone."""
    runs: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for results in records:
        if results["status"] == "finished":
            typed = map(as_typed, results["overrides"])
            words = tuple(word for word in typed if not word.startswith(("seed=", "data.fold=")))
            runs.setdefault(words, []).append(results)
    common = set.intersection(*map(set, runs)) if len(runs) > 1 else {word for words in runs for word in words}
    lines = []
    for words, alike in runs.items():
        if len(alike) < 2:
            continue
        folds, seeds = ({results.get(name) for results in alike} for name in ("fold", "seed"))
        counts = [counted(len(folds), "fold") if folds != {None} else "", counted(len(seeds), "seed")]
        over = " × ".join(count for count in counts if count and count != "1 seed") or counted(len(alike), "run")
        if len(alike) != len(folds) * len(seeds):
            over += f" ({len(alike)} runs)"
        scores = [
            _mean_and_deviation([main_score(results["task"], results[part]) for results in alike])
            for part in ("val", "test")
        ]
        setting = " ".join(word for word in words if word not in common)
        lines.append(f"{setting}{': ' if setting else ''}mean ± sd over {over}: val {scores[0]}, test {scores[1]}")
    return lines


def _mean_and_deviation(scores: list[float]) -> str:
    return f"{statistics.fmean(scores):.4f} ± {statistics.stdev(scores):.4f}"
