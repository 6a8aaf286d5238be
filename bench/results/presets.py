"""Tables of the presets: what they reach beside what is on record, class by class, and what they cost."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.results.changes import command_of, shared_changes
from bench.results.goals import GOALS, Goal
from bench.results.kept import Kept, draws_in_words, mean_and_deviation, score_in_words
from bench.tables import count, table
from fashseg.text import counted, duration

Presets = Mapping[str, Sequence[Kept]]
MISSING = "not measured"
GONE_ON = "Gone on with by `resume=`, so not trained in one go"
PART_NAMES = {"val": "validation", "test": "test"}


def task_of(preset: str, runs: Sequence[Kept]) -> str:
    """Of its runs, or of its goal, where there is none."""
    return runs[0].task if runs else GOALS[preset].task


def summary(presets: Presets) -> str:
    """Goals and records beside the scores, a row for each preset that has a goal."""
    rows = []
    for name, goal in GOALS.items():
        runs = presets.get(name, ())
        task = task_of(name, runs)
        test = mean_and_deviation(run.main("test") for run in runs)
        wanted = f"≥ {_score(task, goal.goal)}{', each class above its own' if goal.by_class else ''}"
        record = _score(task, goal.record) + (f" ({goal.remark})" if goal.remark else "")
        scores = [_score(task, mean_and_deviation(run.main(part) for run in runs)) for part in ("val", "test")]
        scores = scores if runs else [MISSING, MISSING]
        reached = _reached(goal, runs, test[0]) if test else ""
        rows.append((f"`{name}`", goal.kind, wanted, record, *scores, draws_in_words(runs) if runs else "", reached))
    return table(
        ("preset", "for", "goal", "on record", "validation", "test", "runs", "reached"), rows, (0, 1, 2, 3, 6, 7)
    )


def _score(task: str, score: Any) -> str:
    text = score_in_words(task, score)
    return f"{text}%" if text and task == "classification" else text


def _reached(goal: Goal, runs: Sequence[Kept], test: float) -> str:
    short = [
        name
        for name, least in goal.by_class.items()
        if (found := mean_and_deviation(run.by_class("test").get(name) for run in runs)) and found[0] <= least
    ]
    if test < goal.goal:
        return f"no, {score_in_words(goal.task, goal.goal - test)}{' points' * (goal.task != 'segmentation')} short"
    return f"not in {', '.join(short)}" if short else "yes"


def costs(presets: Presets) -> str:
    """What one types, and what a run takes; options that only some runs of a preset have are among the caveats."""
    rows = []
    for name in GOALS:
        if not (runs := presets.get(name, ())):
            rows.append((f"`python -m fashseg.train experiment={name}`", *[MISSING] * 2, "", "", ""))
            continue
        first = runs[0].results
        command = command_of(name, shared_changes([run.results for run in runs]), [run.seed for run in runs])
        multiply_adds = first.get("multiply_adds")
        epochs = _each(run.results["epochs_run"] for run in runs)
        seconds = mean_and_deviation(run.results["train_seconds"] for run in runs)
        rows.append(
            (
                f"`{command}`",
                f"{first['parameters']:,}",
                f"{count(multiply_adds / 1e6)} million" if multiply_adds else "",
                epochs,
                duration(seconds[0]) if seconds else "",
                "; ".join(dict.fromkeys(_machine(run.results) for run in runs)),
            )
        )
    header = ("command", "parameters", "multiply-adds an image", "epochs", "training, each run", "machine")
    return table(header, rows, (0, 5))


def _each(values: Iterable[int]) -> str:
    return ", ".join(map(str, dict.fromkeys(values)))


def _machine(results: Mapping[str, Any]) -> str:
    """Processor or GPU, precision, PyTorch."""
    machine = results.get("machine") or {}
    gpus = " and ".join(dict.fromkeys(map(str, machine.get("gpus", []))))
    where = gpus or f"{counted(results.get('threads') or 1, 'thread')} of {machine.get('processor', 'a processor')}"
    return f"{where}, {results.get('precision')}, PyTorch {results.get('versions', {}).get('torch')}"


def picture(presets: Presets) -> str:
    """The link to the picture, which is drawn where there is something to draw."""
    measured = [name for name in GOALS if name in presets]
    return f"![Test scores of {', '.join(measured)} over parameters](pictures/results.png)" if measured else ""


def flips(presets: Presets) -> str:
    """Scores of images averaged with their mirror images beside those of one look, of the same runs."""
    rows = []
    for name in GOALS:
        runs = [run for run in presets.get(name, ()) if run.scores("test", flips=True)]
        if not runs:
            continue
        scores = [
            _score(runs[0].task, mean_and_deviation(run.main(part, flips=both) for run in runs))
            for part in PART_NAMES
            for both in (False, True)
        ]
        rows.append((f"`{name}`", *scores, draws_in_words(runs)))
    if not rows:
        return f"{MISSING.capitalize()} yet."
    names = [f"{part}, {looks}" for part in PART_NAMES.values() for looks in ("one look", "with mirror images")]
    return table(("preset", *names, "runs"), rows)


def classes(preset: str, presets: Presets) -> str:
    """The main score class by class, then over all; of a segmenter other scores, too."""
    runs, goal = presets.get(preset, ()), GOALS.get(preset)
    if not runs:
        return f"{MISSING.capitalize()} yet."
    task = runs[0].task
    aims = [(goal.record_by_class, goal.record)] if goal else []
    aims += [(goal.by_class, goal.goal)] if goal and goal.by_class else []
    rows = []
    for name in runs[0].by_class("val"):
        scores = [mean_and_deviation(run.by_class(part).get(name) for run in runs) for part in PART_NAMES]
        cells = [*scores, *(by_class.get(name) for by_class, _ in aims)]
        rows.append((name, *(score_in_words(task, cell) for cell in cells)))
    scores = [mean_and_deviation(run.main(part) for run in runs) for part in PART_NAMES]
    overall = [f"**{score_in_words(task, score)}**" for score in scores]
    name = "**all**" if task == "classification" else "**mean**"
    rows.append((name, *overall, *(score_in_words(task, all_of_them) for _, all_of_them in aims)))
    rows += _other_scores(runs, len(aims)) if task == "segmentation" else []
    head = "accuracy, %" if task == "classification" else "average precision by logits"
    return table((head, *PART_NAMES.values(), *("on record", "goal, above")[: len(aims)]), rows)


_OTHERS = {"mean by softmax": "average_precision_softmax", "mean IoU": "iou", "pixel accuracy": "pixel_accuracy"}


def _other_scores(runs: Sequence[Kept], blank: int) -> list[tuple[str, ...]]:
    rows = []
    for label, key in _OTHERS.items():
        scores = []
        for part in PART_NAMES:
            found = [(run.scores(part) or {}).get(key) for run in runs]
            values = [value["mean"] if isinstance(value, dict) else value for value in found]
            scores.append(score_in_words("segmentation", mean_and_deviation(values)))
        rows.append((label, *scores, *[""] * blank))
    return rows


def caveats(presets: Presets) -> str:
    """What speaks against a run that is kept all the same, and which runs were gone on with."""
    measured = [(name, run) for name in GOALS for run in presets.get(name, ())]
    lines = [
        f"- `{name}`, {run.draw_in_words}: {'; '.join(run.results['against'])}."
        for name, run in measured
        if run.results.get("against")
    ]
    told = "\n".join(lines) or "None: every run is of its preset, of committed code and of whole data sets."
    gone_on = [f"`{name}`, {run.draw_in_words}" for name, run in measured if run.gone_on]
    return f"{told}\n\n{GONE_ON}: {'; '.join(gone_on)}." if gone_on else told
