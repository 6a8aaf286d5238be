"""A study that several processes work on and any of them may be killed: trials are claimed, told, and found again."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import optuna
from optuna.trial import FrozenTrial, TrialState

from fashseg.errors import UserError
from fashseg.sweep import owner
from fashseg.sweep.lost import OF_THIS_PROCESS, left_by, settle
from fashseg.sweep.outcome import FAILED, FINISHED, LOST, PRUNED, RUNNING, Outcome, state_of
from fashseg.sweep.samplers import build_pruner, build_sampler, distribution, importance
from fashseg.sweep.search import Search, difference
from fashseg.sweep.space import grid
from fashseg.sweep.storage import Storage

IDENTITY = "fashseg"
_TOLD = {FINISHED: TrialState.COMPLETE, PRUNED: TrialState.PRUNED, FAILED: TrialState.FAIL}


@dataclass(frozen=True)
class Claim:
    """A trial that this process is to run.

    Attributes:
        number: of the trial.
        params: as they are typed.
        replaces: number of the lost trial whose parameters these are.
        before: folder of what that one has left, if anything.
    """

    number: int
    params: dict[str, str]
    replaces: int | None
    before: Path | None


class Study:
    """A study in its storage.

    Everything that has to happen once, whoever does it, is done under the lock of the storage: to count and draw the
    next trial, and to find that the process of one is gone. A process that is killed within leaves something for the
    next to mend: a trial without owner, or a lost one that was not queued again.

    Args:
        search: what is asked for.
        folder: of the sweep.

    Raises:
        UserError: the storage can't be used, or has another study of this name.
    """

    def __init__(self, search: Search, folder: Path) -> None:
        self.search, self.folder = search, folder.absolute()
        self.storage = Storage(search.storage, search.study_name)
        self.mine: set[int] = set()
        OF_THIS_PROCESS.append(self)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        options = search.options
        self.distributions = {path: distribution(found) for path, found in search.space.items()}
        self.points = grid(search.space) if options.sampler == "grid" else None
        try:
            with self.storage.lock():
                self.optuna = self._load_or_create()
                known = self.optuna.user_attrs.get(IDENTITY)
                if known is None and not self.trials():
                    self.optuna.set_user_attr(IDENTITY, search.identity)
        except Exception as error:
            raise self.storage.failed(error) from error
        _refuse_another(search, known, [direction.name.lower() for direction in self.optuna.directions], self.trials())

    def same_as(self, other: "Study") -> bool:
        """Whether it is the same study in the same storage."""
        return (self.storage.url, self.search.study_name) == (other.storage.url, other.search.study_name)

    def _load_or_create(self) -> optuna.Study:
        options = self.search.options
        common: dict[str, Any] = {
            "study_name": self.search.study_name,
            "storage": self.storage.optuna,
            "sampler": build_sampler(options, 0),
            "pruner": build_pruner(options, self.search.epochs),
        }
        if self.search.study_name in optuna.get_all_study_names(self.storage.optuna):
            return optuna.load_study(**common)
        return optuna.create_study(**common, directions=cast(Any, options.directions))

    def trials(self) -> list[FrozenTrial]:
        """All of them, as the storage has them now."""
        return self.optuna.get_trials(deepcopy=False)

    @property
    def n_trials(self) -> int:
        """How many there are to be in all."""
        wanted = self.search.options.n_trials
        if self.points is None:
            assert wanted is not None
            return wanted
        count = 1
        for values in self.points:
            count *= len(values)
        return count if wanted is None else min(wanted, count)

    def count(self, *states: str) -> int:
        """How many trials are in one of these states."""
        return sum(state_of(trial) in states for trial in self.trials())

    @property
    def ended(self) -> int:
        """Trials that count: those that were lost do not."""
        return self.count(FINISHED, PRUNED, FAILED)

    def claim(self) -> Claim | None:
        """The next trial for this process; None where there is none to be had at this moment."""
        with self.storage.lock():
            settle(self)
            trials = self.trials()
            waiting = any(trial.state is TrialState.WAITING for trial in trials)
            begun = sum(state_of(trial) in (FINISHED, PRUNED, FAILED, RUNNING) for trial in trials)
            if not waiting and begun >= self.n_trials:
                return None
            if not waiting and self.points is not None and not self._queue_point(trials):
                return None
            self.optuna.sampler = build_sampler(self.search.options, len(trials))
            asked = self.optuna.ask(self.distributions)
            asked.set_user_attr("owner", owner.this_process())
            asked.set_user_attr("heartbeat", time.time())
            asked.set_user_attr("folder", str(self.folder_of(asked.number)))
            self.mine.add(asked.number)
            replaces = asked.user_attrs.get("replaces")
            params = self.typed(asked.params)
            return Claim(asked.number, params, replaces, left_by(self, replaces))

    def tell(self, number: int, outcome: Outcome) -> None:
        """Note how a trial of this process ended."""
        with self.storage.lock():
            self.tell_under_lock(number, outcome)
        self.mine.discard(number)

    def settle(self) -> None:
        """See to trials whose process is gone: told from their folders, or marked lost and queued again."""
        with self.storage.lock():
            settle(self)

    def release(self) -> list[int]:
        """Give back the trials of this process that have not come to their end; returns their numbers."""
        given_back = sorted(self.mine)
        self.mine.clear()
        self.settle()
        return given_back

    def close(self) -> None:
        """Let go of the storage; trials that are still this process's are nobody's from here on."""
        OF_THIS_PROCESS.remove(self)
        self.storage.close()

    def beat(self) -> None:
        """Say to processes on other machines that this one is still at work."""
        for trial in self.trials():
            if trial.number in self.mine and trial.state is TrialState.RUNNING:
                self.storage.optuna.set_trial_user_attr(trial._trial_id, "heartbeat", time.time())

    def folder_of(self, number: int) -> Path:
        """Where the trial of a number is run."""
        return self.folder / str(number)

    def typed(self, params: dict[str, Any]) -> dict[str, str]:
        """Parameters as one would type them."""
        return {path: found.typed(params[path]) for path, found in self.search.space.items() if path in params}

    def importance(self) -> dict[str, float] | None:
        """How much of the differences each option explains."""
        return importance(self.optuna)

    def tell_under_lock(self, number: int, outcome: Outcome) -> None:
        """The same, where the lock is held."""
        trial = self.trials()[number]
        if trial.state.is_finished():  # by another process, which took this one for gone
            return
        if outcome.state == PRUNED and not trial.intermediate_values:
            outcome = Outcome(FAILED, error="it was pruned before its first epoch")
        if outcome.error:
            self.storage.optuna.set_trial_user_attr(trial._trial_id, "error", outcome.error[:2000])
        values = list(outcome.values) if outcome.state == FINISHED else None
        self.optuna.tell(number, values, state=_TOLD[outcome.state])

    def _queue_point(self, trials: Sequence[FrozenTrial]) -> bool:
        """Queue the first point of the grid that no trial has, in the order of `itertools.product`."""
        import itertools

        assert self.points is not None
        names = list(self.search.space)
        taken = {tuple(trial.params.get(name) for name in names) for trial in trials if state_of(trial) != LOST}
        for point in itertools.product(*self.points):
            if point not in taken:
                self.optuna.enqueue_trial(dict(zip(names, point, strict=True)))
                return True
        return False


def _refuse_another(search: Search, known: Any, directions: list[str], trials: Sequence[FrozenTrial]) -> None:
    where = f"the study {search.study_name} in {search.shown_storage}"
    otherwise = "Choose another hydra.sweeper.study_name for this search."
    if known is None and trials:
        raise UserError(f"{where} was made by other software.", otherwise)
    if known is not None and (found := difference(known, search.identity)):
        raise UserError(f"{where} was begun with {found}", otherwise)
    if directions != search.options.directions:
        raise UserError(f"{where} was begun with directions {', '.join(directions)}.", otherwise)
    folders = [path for path in search.folder.glob("[0-9]*") if (path / "results.json").exists()]
    if not trials and folders:
        raise UserError(
            f"{search.folder} holds runs of a sweep, and {where} has no trial.",
            "Bring its storage back, or choose another hydra.sweeper.study_name.",
        )
