"""What each ingredient of a recipe brings: variants of a preset beside it, by validation alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.results.changes import as_words, options_of_preset, shared_changes
from bench.results.kept import ITSELF, Kept, draws_in_words, mean_and_deviation, score_in_words
from bench.tables import table

Difference = tuple[float, float | None]


def ablations(preset: str, variants: Mapping[str, Sequence[Kept]], runs: Sequence[Kept]) -> str:
    """A row for each variant, best first, beside the recipe with as many epochs, where that was trained.

    Args:
        preset: its name.
        variants: runs by variant; ``preset`` is the recipe itself.
        runs: of the tables of the preset, which stand in where ``preset`` is not among the variants.
    """
    short = variants.get(ITSELF) or runs
    others = {name: alike for name, alike in variants.items() if name != ITSELF}
    if not others:
        return "Not measured yet."
    task = next(iter(others.values()))[0].task
    ordered = sorted(others.items(), key=lambda item: -_mean(item[1]))
    recipes = {name: short if _of_folds(alike) <= _of_folds(short) else runs for name, alike in ordered}
    rows = [_row(f"`{preset}`", _in_words(_shared(short)), task, short, "")] if short else []
    if runs and any(recipe is not short for recipe in recipes.values()):
        rows.append(_row(f"`{preset}`, the runs above", "", task, runs, ""))
    for name, alike in ordered:
        recipe = recipes[name]
        beside = _as_long(alike, variants, recipe)
        apart = score_in_words(task, difference(alike, recipe if beside == ITSELF else variants[beside]), signed=True)
        told = f"{apart} to {_plain(beside)}" if beside != ITSELF else apart if recipe is short else f"{apart} to those"
        rows.append(_row(_plain(name), _in_words(_changes(preset, alike, recipe)), task, alike, told))
    unit = "accuracy, %" if task == "classification" else "mean average precision by logits"
    by_class = _classes(next(iter(others.values())))
    header = ("variant", "changed", "runs", f"validation: {unit}", "difference to the preset", *by_class)
    made = table(header, rows, (0, 1, 2))
    against = [
        f"- {_plain(name)}, {run.draw_in_words}: {'; '.join(remarks)}."
        for name, alike in variants.items()
        for run in alike
        if (remarks := [*run.results.get("against", ()), *["gone on with by `resume=`"] * run.gone_on])
    ]
    against += _versions([(f"`{preset}`", short), *((_plain(name), alike) for name, alike in ordered)])
    return "\n".join([made, *(["", *against] if against else [])])


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _versions(rows: Sequence[tuple[str, Sequence[Kept]]]) -> list[str]:
    """Which rows are of which PyTorch, where not all are of one; the version of the first row comes last."""
    by_version: dict[str, list[str]] = {}
    for name, runs in rows:
        if runs:
            by_version.setdefault(" and ".join(sorted({run.torch for run in runs})), []).append(name)
    if len(by_version) < 2:
        return []
    first, *others = by_version.items()
    told = [f"PyTorch {version}: {', '.join(names)}" for version, names in others]
    return [f"- {'; '.join(told)}; PyTorch {first[0]}: {'the others' if len(first[1]) > 1 else first[1][0]}."]


def _row(name: str, changed: str, task: str, runs: Sequence[Kept], apart: str) -> tuple[str, ...]:
    score = score_in_words(task, mean_and_deviation(run.main("val") for run in runs))
    scores = [mean_and_deviation(run.by_class("val").get(label) for run in runs) for label in _classes(runs)]
    means = [score_in_words(task, found and found[0]) for found in scores]
    return name, changed, draws_in_words(runs), score, apart, *means


def _classes(runs: Sequence[Kept]) -> list[str]:
    """Those that decide a mean over classes; an accuracy is over images."""
    return list(runs[0].by_class("val")) if runs[0].task == "segmentation" else []


def _mean(runs: Sequence[Kept]) -> float:
    found = mean_and_deviation(run.main("val") for run in runs)
    return found[0] if found else 0


def _shared(runs: Sequence[Kept]) -> dict[str, Any]:
    """What all runs change of the preset.

    Where a run has other options than the first one, that speaks against it, and is told below the table.
    """
    return shared_changes([run.results for run in runs]) if runs else {}


def _changes(preset: str, runs: Sequence[Kept], recipe: Sequence[Kept]) -> dict[str, Any]:
    """What the runs have other than the recipe as it is run here, such as with fewer epochs than the preset's."""
    common, own = _shared(recipe), _shared(runs)
    again = {path: options_of_preset(preset).get(path) for path in common if path not in own}
    return {path: value for path, value in (own | again).items() if path not in common or common[path] != value}


def _of_folds(runs: Sequence[Kept]) -> set[bool]:
    """Whether runs are of folds; both where some are."""
    return {run.fold is not None for run in runs}


def _as_long(runs: Sequence[Kept], variants: Mapping[str, Sequence[Kept]], recipe: Sequence[Kept]) -> str:
    """The variant that is the recipe with as many epochs; the recipe itself where there is none, or these are it."""
    own, common = _shared(runs), _shared(recipe)
    alone = {path: value for path, value in own.items() if path == "epochs" or path in common}
    if alone in (own, common):
        return ITSELF
    return next((name for name, others in variants.items() if _shared(others) == alone), ITSELF)


def _in_words(options: Mapping[str, Any]) -> str:
    words = " ".join(as_words(options))
    return f"`{words}`" if words else ""


def difference(runs: Sequence[Kept], recipe: Sequence[Kept]) -> Difference | None:
    """Mean of the differences in validation of runs of one fold and seed, with their sample standard deviation.

    Pairs have the same images and, as far as both recipes draw the same, the same chance. Where there is no pair, it is
    the difference of the means, and nobody knows by how much it spreads.
    """
    theirs = {(run.draw, run.validated_on): run.main("val") for run in recipe}
    pairs = [(run.main("val"), theirs[key]) for run in runs if (key := (run.draw, run.validated_on)) in theirs]
    known = [one - other for one, other in pairs if one is not None and other is not None]
    if known:
        return mean_and_deviation(known)
    return (_mean(runs) - _mean(recipe), None) if recipe else None
