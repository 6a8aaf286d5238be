"""study.json and optimization_results.yaml: a study as files that need neither Optuna nor the storage."""

import json
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial

from fashseg.files import write_atomically
from fashseg.sweep import owner
from fashseg.sweep.outcome import FINISHED, LOST, WAITING, state_of
from fashseg.sweep.search import FORMAT
from fashseg.sweep.study import Study

STUDY, RESULTS = "study.json", "optimization_results.yaml"


def write_record(study: Study, *, at_end: bool = False) -> dict[str, Any]:
    """Write study.json, and at the end optimization_results.yaml; returns what study.json says.

    Args:
        study: of the storage.
        at_end: with how important each option was, which takes longer.
    """
    search, options = study.search, study.search.options
    record = {
        "format": FORMAT,
        "study_name": search.study_name,
        "directions": options.directions,
        "objectives": options.objectives,
        "sampler": options.sampler,
        "pruner": options.pruner,
        "n_trials": study.n_trials,
        "space": {path: found.as_record() for path, found in search.space.items()},
        "overrides": search.fixed,
        "command": search.command,
        "importance": study.importance() if at_end else None,
        "trials": [_trial(study, trial) for trial in study.trials() if state_of(trial) != WAITING],
    }
    write_atomically(study.folder / STUDY, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    if at_end:
        write_atomically(study.folder / RESULTS, _results(record))
    return record


def _trial(study: Study, trial: FrozenTrial) -> dict[str, Any]:
    begun, ended = trial.datetime_start, trial.datetime_complete
    state = state_of(trial)
    return {
        "number": trial.number,
        "state": state,
        "params": study.typed(trial.params),
        "values": list(trial.values) if state == FINISHED else None,
        "intermediate": {str(epoch): value for epoch, value in sorted(trial.intermediate_values.items())},
        "started": begun.astimezone().isoformat(timespec="seconds") if begun else None,
        "ended": ended.astimezone().isoformat(timespec="seconds") if ended else None,
        "seconds": round((ended - begun).total_seconds(), 3) if begun and ended else None,
        "folder": _folder(study, trial),
        "error": trial.user_attrs.get("error"),
        "replaces": trial.user_attrs.get("replaces"),
    }


def _folder(study: Study, trial: FrozenTrial) -> str | None:
    """Relative to the sweep's folder; in full where it is on another machine."""
    noted = trial.user_attrs.get("folder")
    if not noted:
        return None
    path = Path(noted)
    of_this_machine = trial.user_attrs.get("owner", {}).get("host") == owner.host()
    if of_this_machine and state_of(trial) == LOST and not path.exists():
        return None  # the trial that replaces it has taken it over
    return path.name if path.parent == study.folder and (of_this_machine or path.exists()) else str(path)


def best_trials(record: dict[str, Any], most: int) -> list[dict[str, Any]]:
    """The best finished trials, best first; with several objectives those that no other one beats in all."""
    finished = [trial for trial in record["trials"] if trial["state"] == FINISHED]
    signs = [-1 if direction == "maximize" else 1 for direction in record["directions"]]

    def costs(trial: dict[str, Any]) -> list[float]:
        return [sign * value for sign, value in zip(signs, trial["values"], strict=True)]

    if len(signs) > 1:
        finished = [
            trial
            for trial in finished
            if not any(
                other is not trial
                and all(a <= b for a, b in zip(costs(other), costs(trial), strict=True))
                and costs(other) != costs(trial)
                for other in finished
            )
        ]
    return sorted(finished, key=costs)[:most]


def _results(record: dict[str, Any]) -> str:
    """As the published plugin writes it."""
    from omegaconf import OmegaConf

    best = best_trials(record, len(record["trials"]))
    content: dict[str, Any] = {"name": "optuna"}
    if len(record["directions"]) > 1:
        content["solutions"] = [{"params": trial["params"], "values": trial["values"]} for trial in best]
    elif best:
        content["best_evaluated_params"] = best[0]["params"]
        content["best_evaluated_value"] = best[0]["values"][0]
    return OmegaConf.to_yaml(OmegaConf.create(content))
