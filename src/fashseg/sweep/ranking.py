"""Which trials of a search are best, what they took, and the command that runs one again. Imports no torch."""

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from fashseg.commands import same_again
from fashseg.sweep.kept_study import Study, Trial


def ranked(study: Study) -> list[Trial]:
    """Finished trials with a value, the best in the first objective first.

    Of equal ones the best in the next one, else the earlier.
    """
    signs = [-1.0 if direction == "maximize" else 1.0 for direction in study.directions]
    known = [trial for trial in study.trials if trial.value() is not None]

    def order(trial: Trial) -> list[float]:
        values = zip(signs, trial.values, strict=False)
        return [math.inf if value is None else sign * value for sign, value in values]

    return sorted(known, key=order)


def best_of(study: Study) -> Trial | None:
    """The first of them: with several objectives the best in the first one."""
    return next(iter(ranked(study)), None)


def front(study: Study) -> list[Trial]:
    """The Pareto front: trials than which no other is as good in all objectives and better in one.

    Best in the first objective first; of trials with the same values the earliest.
    """
    import numpy as np  # not at the top: what compare refuses is told without it

    signs = np.array([-1.0 if direction == "maximize" else 1.0 for direction in study.directions])
    known = [trial for trial in ranked(study) if None not in trial.values]
    values = np.array([trial.values for trial in known], dtype=float).reshape(len(known), len(signs)) * signs
    order = np.lexsort(values.T[::-1])  # by the first objective, then the others: nobody is beaten by a later one
    kept: list[int] = []
    for place in order:
        if not kept or not (values[kept] <= values[place]).all(axis=1).any():
            kept.append(int(place))
    return [known[place] for place in kept]


def running_best(values: Sequence[float], maximises: bool) -> list[float]:
    """By place the best value so far, nan before the first."""
    import numpy as np

    better = np.fmax if maximises else np.fmin
    return [float(value) for value in better.accumulate(np.array(values, dtype=float))] if len(values) else []


@dataclass(frozen=True)
class Cost:
    """What a search took.

    Attributes:
        seconds: of all trials together.
        epochs: that were trained and scored.
        planned: epochs that the same trials had taken without pruning; None where it is not known.
        saved: seconds that pruning has saved, from what an epoch of the same trial took; None where it is not known.
    """

    seconds: float
    epochs: int
    planned: int | None
    saved: float | None


def cost(study: Study, wanted: Sequence[int | None], each: Sequence[float | None]) -> Cost:
    """What it took so far.

    Args:
        study: the search.
        wanted: epochs that each of its trials was to have; None where that is not known.
        each: seconds that an epoch of each trial took; None for its share of the trial's, which holds its start, too.
    """
    seconds = math.fsum(trial.seconds or 0.0 for trial in study.trials)
    epochs = sum(trial.epochs for trial in study.trials)
    rows = zip(study.trials, wanted, each, strict=True)
    pruned = [(trial, own, epoch or _share(trial)) for trial, own, epoch in rows if trial.state == "pruned"]
    if not pruned or any(own is None for _, own, _ in pruned):
        return Cost(seconds, epochs, None, None)
    missing = [(max(0, (own or 0) - trial.epochs), epoch) for trial, own, epoch in pruned]
    known = [rest * epoch for rest, epoch in missing if epoch is not None]
    saved = math.fsum(known) if len(known) == len(missing) else None
    return Cost(seconds, epochs, epochs + sum(rest for rest, _ in missing), saved)


def _share(trial: Trial) -> float | None:
    return trial.seconds / trial.epochs if trial.seconds and trial.epochs else None


def own_words(study: Study, trial: Trial) -> list[str]:
    """The words of a trial's own command: without what the search alone needs, and with a page of its own."""
    words = [*study.overrides, *(f"{name}={value}" for name, value in trial.params.items())]
    return [word for word in words if not word.lstrip("+~").startswith(("hydra.", "hydra/", "page="))]


def command_of(study: Study, trial: Trial) -> str:
    """The command that runs a trial's options again, as one run."""
    return same_again(own_words(study, trial), config_dir=_config_dir(study))


def _config_dir(study: Study) -> str | None:
    """The folder of further choices that its command names."""
    try:
        typed = shlex.split(study.command)
    except ValueError:  # of a file that was changed
        return None
    for word, following in zip(typed, [*typed[1:], ""], strict=True):
        flag, _, value = word.partition("=")
        if flag == "--config-dir":
            return value or following or None
    return None
