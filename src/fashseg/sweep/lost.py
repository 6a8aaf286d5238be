"""Trials whose process is gone: told from what they have left, or marked lost and queued again."""

from pathlib import Path
from typing import TYPE_CHECKING

from optuna.trial import FrozenTrial, TrialState

from fashseg.run import RunFolder
from fashseg.sweep import owner
from fashseg.sweep.outcome import LOST, RUNNING, read_outcome, state_of

if TYPE_CHECKING:
    from fashseg.sweep.study import Study

# Studies that this process has open: one process may run several searches, one after the other or side by side.
OF_THIS_PROCESS: list["Study"] = []


def settle(study: "Study") -> None:
    """See to the trials that no process is at work on; the lock is held."""
    for trial in study.trials():
        if state_of(trial) == RUNNING and not _is_at_work(study, trial):
            noted = trial.user_attrs.get("folder")
            # What was interrupted is lost as well: it has not come to its end.
            outcome = read_outcome(Path(noted), study.search.options.objectives) if noted else None
            if outcome:
                study.tell_under_lock(trial.number, outcome)
            else:
                study.storage.optuna.set_trial_user_attr(trial._trial_id, LOST, True)
                study.optuna.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
    trials = study.trials()
    replaced = {trial.user_attrs.get("replaces") for trial in trials}
    for trial in trials:
        if state_of(trial) == LOST and trial.params and trial.number not in replaced:
            study.optuna.enqueue_trial(trial.params, user_attrs={"replaces": trial.number})


def _is_at_work(study: "Study", trial: FrozenTrial) -> bool:
    if trial.number in study.mine:
        return True
    noted = trial.user_attrs.get("owner")
    if not noted or trial.user_attrs.get(LOST):
        return False
    if noted == owner.this_process():
        if any(trial.number in other.mine for other in OF_THIS_PROCESS if other.same_as(study)):
            return True
    elif owner.is_alive(noted, trial.user_attrs.get("heartbeat")):
        return True
    # A worker may outlive the process that has started it.
    folder = trial.user_attrs.get("folder")
    return folder is not None and RunFolder(folder).is_live


def left_by(study: "Study", lost: int | None) -> Path | None:
    """The folder of a lost trial, or of the one that it had replaced itself, where a run can go on."""
    trials = study.trials()
    while lost is not None:
        noted = trials[lost].user_attrs.get("folder")
        if noted and RunFolder(noted).results.exists() and not RunFolder(noted).is_live:
            return Path(noted)
        lost = trials[lost].user_attrs.get("replaces")
    return None
