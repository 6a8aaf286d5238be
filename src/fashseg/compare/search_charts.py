"""The pictures of a search on its page: out of its record the numbers that are drawn."""

import math
from collections.abc import Sequence

from fashseg.compare.details import chart_block
from fashseg.compare.search_words import as_number, value_text
from fashseg.compare.searches import Search
from fashseg.figures.importance import importances
from fashseg.figures.parallel import parallel_coordinates
from fashseg.figures.pareto import pareto_front
from fashseg.figures.search_curves import search_curves
from fashseg.figures.search_history import search_history
from fashseg.figures.slices import Axis, slices
from fashseg.pages.blocks import Block, Text
from fashseg.sweep.kept_study import Searched, Trial
from fashseg.sweep.ranking import best_of, ranked
from fashseg.text import counted, listed

MOST_DRAWN = 500  # trials of a picture that has a line for each
MOST_PANELS = 12  # options of a picture


def _first_objective(trial: Trial) -> float:
    """The value of a finished trial, the last score of a pruned one, else nan."""
    value = trial.value() if trial.state == "finished" else trial.last if trial.state == "pruned" else None
    return math.nan if value is None else value


def _scored_by_epoch(search: Search) -> bool:
    """Whether the last score of a pruned trial is of the same kind as the values of finished ones."""
    ended = [trial for trial in search.study.trials if trial.value() is not None and trial.intermediate]
    return search.study.objectives[0] == "score" or bool(ended and all(t.value() == t.last for t in ended))


def _drawn(search: Search) -> list[tuple[Trial, float]]:
    """Finished and, where they can be compared, pruned trials with a value."""
    found = [(trial, _first_objective(trial)) for trial in search.study.trials]
    pruned_too = _scored_by_epoch(search)
    return [(t, value) for t, value in found if not math.isnan(value) and (pruned_too or t.state == "finished")]


def history(search: Search) -> list[Block]:
    """Values and the best so far, over the trials and over what they took."""
    study, label = search.study, search.label
    drawn = {trial.number: value for trial, value in _drawn(search)}
    if not drawn:
        return []
    spent, spent_label = _spent(search)
    figure = search_history(
        [trial.number for trial in study.trials],
        [drawn.get(trial.number, math.nan) for trial in study.trials],
        [trial.state for trial in study.trials],
        label,
        maximise=study.maximises(),
        spent=spent,
        spent_label=spent_label,
    )
    best = best_of(study)
    reached = f"; {value_text(best.value())} was reached in trial {best.number}" if best else ""
    alt = f"The {label} of {counted(len(drawn), 'trial')} and the best so far{reached}. The numbers are in the table."
    caption = f"The {label} of each trial and the best so far, over the trials"
    return [chart_block("history", figure, alt, caption + (f" and over the {spent_label}." if spent else "."))]


def _spent(search: Search) -> tuple[list[float] | None, str]:
    """What all trials had taken when each ended: epochs where they are known, else hours."""
    trials = search.study.trials
    by_epoch = all(trial.epochs for trial in trials if trial.value() is not None)
    if not by_epoch and all(trial.seconds is None for trial in trials):
        return None, ""
    order = sorted(trials, key=lambda t: (t.ended is None, t.ended.timestamp() if t.ended else 0.0, t.number))
    total, spent = 0.0, {}
    for trial in order:
        total += trial.epochs if by_epoch else (trial.seconds or 0.0) / 3600
        spent[trial.number] = total
    return [spent[trial.number] for trial in trials], "epochs of all trials" if by_epoch else "hours of all trials"


def importance(search: Search) -> list[Block]:
    """Bars, where the search could tell."""
    shares = search.study.importance
    if not shares or sum(shares.values()) <= 0:
        return []
    ordered = sorted(shares, key=lambda name: -shares[name])
    figure = importances({name: shares[name] for name in ordered[: 2 * MOST_PANELS]})
    alt = f"Importance of the options, the largest first: {listed(ordered[:6])}."
    said = (
        "How much of the differences between the scores goes back to each option within the space that was searched, "
        "as estimated by the search. Of few trials it is a rough guess."
    )
    return [chart_block("importance", figure, alt, "Share of the importance."), Text([said])]


def _axes(search: Search, trials: Sequence[Trial]) -> dict[str, Axis]:
    """Options with more than one value, the most important ones of many."""
    shares = search.study.importance or {}
    paths = list(search.study.space) or list(dict.fromkeys(name for trial in trials for name in trial.params))
    if len(paths) > MOST_PANELS:
        paths.sort(key=lambda path: -shares.get(path, 0.0))
    found = {path: _axis([trial.params.get(path) for trial in trials], search.study.space.get(path)) for path in paths}
    return {path: axis for path, axis in list(found.items())[:MOST_PANELS] if len(set(axis.values)) > 1}


def _axis(words: Sequence[str | None], searched: Searched | None) -> Axis:
    numbers = [None if word is None else as_number(word) for word in words]
    categories = searched is not None and searched.kind == "choice"
    if not categories and all((number is None) == (word is None) for number, word in zip(numbers, words, strict=True)):
        return Axis(numbers, searched is not None and searched.log)
    return Axis(words, order=searched.choices if searched else ())


def option_slices(search: Search) -> list[Block]:
    """The score against each option."""
    drawn = _drawn(search)
    axes = _axes(search, [trial for trial, _ in drawn])
    if len(drawn) < 2 or not axes:
        return []
    figure = slices(
        axes,
        [value for _, value in drawn],
        search.label,
        maximise=search.study.maximises(),
        pruned=[trial.state == "pruned" for trial, _ in drawn],
    )
    alt = f"The {search.label} of {counted(len(drawn), 'trial')} against {listed(list(axes))}, a panel each."
    caption = f"The {search.label} against each option" + _left_out(search, axes)
    return [chart_block("slices", figure, alt, f"{caption}. Crosses are pruned trials with their last score.")]


def _left_out(search: Search, axes: dict[str, Axis]) -> str:
    more = len(search.study.space) - MOST_PANELS
    return f"; {more} of less importance are left out" if more > 0 and axes else ""


def options_and_score(search: Search) -> list[Block]:
    """Parallel coordinates of finished trials."""
    finished = ranked(search.study)[:MOST_DRAWN]
    axes = _axes(search, finished)
    if len(finished) < 3 or len(axes) < 2:
        return []
    values = {path: _plain(axis) for path, axis in axes.items()}
    logarithmic = [path for path, axis in axes.items() if axis.log]
    scores = [trial.value() or 0.0 for trial in finished]
    figure = parallel_coordinates(
        values, scores, search.label, logarithmic=logarithmic, maximise=search.study.maximises()
    )
    alt = f"A line for each of {len(finished)} finished trials through its {listed(list(axes))} to its {search.label}."
    cut = len(ranked(search.study)) > MOST_DRAWN
    caption = f"A line for each of the {'best ' if cut else ''}{len(finished)} finished trials" + _left_out(
        search, axes
    )
    return [chart_block("parallel", figure, alt, f"{caption}. The better ones are brighter and lie above the others.")]


def _plain(axis: Axis) -> list[float | str | bool | None]:
    """Choices that are numbers are drawn as numbers."""
    numbers = [as_number(str(value)) for value in axis.values]
    return [*numbers] if None not in numbers else list(axis.values)


def curves(search: Search) -> list[Block]:
    """Scores over the epochs, with those that were pruned."""
    with_curve = [trial for trial in search.study.trials if trial.intermediate]
    if not with_curve:
        return []
    kept = with_curve
    if len(with_curve) > MOST_DRAWN:
        best = {trial.number for trial in ranked(search.study)[:10]}
        each = MOST_DRAWN / len(with_curve)
        kept = [t for i, t in enumerate(with_curve) if int(i * each) < int((i + 1) * each) or t.number in best]
    label = "validation score" if search.study.objectives[0] == "score" else "score"
    figure = search_curves(
        [trial.intermediate for trial in kept],
        [trial.state for trial in kept],
        label,
        maximise=search.study.maximises(),
    )
    pruned = sum(trial.state == "pruned" for trial in kept)
    cut = len(kept) < len(with_curve)
    which = f"{len(kept)} of {len(with_curve):,} trials, the best ten among them" if cut else ""
    said = which or counted(len(kept), "trial")
    alt = f"The {label} over the epochs of {said}; {pruned} were pruned."
    crosses = " Crosses: ended by the pruner." if pruned else ""
    return [chart_block("trial-curves", figure, alt, f"The {label} over the epochs of {said}.{crosses}")]


def front_chart(search: Search, on_front: Sequence[Trial]) -> list[Block]:
    """The first objective against each of the others."""
    study = search.study
    chosen = {trial.number for trial in on_front}
    known = [trial for trial in ranked(study) if None not in trial.values]
    blocks: list[Block] = []
    for other in range(1, len(study.objectives)):
        first, second = ([trial.values[place] or 0.0 for trial in known] for place in (0, other))
        labels = (search.label, study.objectives[other])
        figure = pareto_front(
            first,
            second,
            [trial.number in chosen for trial in known],
            [trial.number for trial in known],
            labels,
            maximise=(study.maximises(), study.maximises(other)),
        )
        alt = (
            f"{labels[0]} against {labels[1]} of {counted(len(known), 'trial')}; {len(chosen)} are on the Pareto front."
        )
        blocks.append(
            chart_block(f"front-{other}", figure, alt, f"{labels[0]} against {labels[1]}; the front by number.")
        )
    return blocks
