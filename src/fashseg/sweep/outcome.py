"""How a trial ended, out of its run folder."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from fashseg.errors import UserError
from fashseg.run import RunFolder
from fashseg.summary import main_score
from fashseg.sweep.options import SCORE

FINISHED, PRUNED, FAILED, LOST, RUNNING, WAITING = "finished", "pruned", "failed", "lost", "running", "waiting"
_STATES = {
    TrialState.COMPLETE: FINISHED,
    TrialState.PRUNED: PRUNED,
    TrialState.FAIL: FAILED,
    TrialState.WAITING: WAITING,
    TrialState.RUNNING: RUNNING,
}


@dataclass(frozen=True)
class Outcome:
    """The end of a trial.

    Attributes:
        state: ``finished``, ``pruned`` or ``failed``.
        values: of the objectives, where it is finished.
        error: why it failed.
    """

    state: str
    values: tuple[float, ...] = ()
    error: str | None = None


def read_outcome(folder: Path, objectives: list[str]) -> Outcome | None:
    """How the run in a folder ended; None where it did not, or nothing is there."""
    try:
        results = RunFolder(folder).read_results()
    except UserError:
        return None
    status = results["status"]
    if status == PRUNED:
        return Outcome(PRUNED)
    if status == FAILED:
        return Outcome(FAILED, error=str(results.get("error") or "it does not say why"))
    if status != FINISHED:
        return None
    values = [_value(results, objective) for objective in objectives]
    for objective, value in zip(objectives, values, strict=True):
        if value is None:
            return Outcome(FAILED, error=f"{objective} is no number in its results.json")
    return Outcome(FINISHED, tuple(value for value in values if value is not None))


def images_of(folder: Path) -> dict[str, Any] | None:
    """The fingerprints of the images of the run in a folder; None where they are not known."""
    try:
        found = RunFolder(folder).read_results().get("fingerprints")
    except UserError:
        return None
    return found if isinstance(found, dict) and found else None


def of_values(values: list[Any]) -> Outcome:
    """The end of a trial by what it has returned."""
    numbers = [_number(value) for value in values]
    if any(number is None for number in numbers):
        return Outcome(FAILED, error="it has returned no score")
    return Outcome(FINISHED, tuple(number for number in numbers if number is not None))


def _value(results: dict[str, Any], objective: str) -> float | None:
    try:
        if objective == SCORE:
            return _number(main_score(results["task"], results["val"]))
        found: Any = results
        for part in objective.split("."):
            found = found[part]
        return _number(found.get("mean") if isinstance(found, dict) else found)
    except (KeyError, TypeError, ValueError):
        return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def state_of(trial: FrozenTrial) -> str:
    """As study.json has it; ``waiting`` of a trial that is queued."""
    return LOST if trial.state is TrialState.FAIL and trial.user_attrs.get(LOST) else _STATES[trial.state]
