"""The record of a search, ``study.json`` in its folder, read as a file that anybody may have written.

It is all that pages and presets are made from: neither optuna nor the storage of the study is needed, nor torch.
"""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from fashseg.untrusted import read_json

NAME = "study.json"
FORMAT = 1
STATES = ("finished", "pruned", "failed", "running", "lost")
DIRECTIONS = ("maximize", "minimize")
KINDS = ("float", "int", "choice")

MOST_BYTES = 64 * 2**20  # a trial of 100 epochs takes some 3 kilobytes


@dataclass(frozen=True)
class Searched:
    """Where an option was searched.

    Attributes:
        kind: ``float``, ``int`` or ``choice``.
        low: end of an interval; None of a choice.
        high: the other end.
        log: whether it was drawn on a logarithmic scale.
        step: between the values of an interval that has only some; None for all of it.
        choices: as they are typed.
    """

    kind: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    step: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """One run of a search.

    Attributes:
        number: from 0.
        state: ``finished``, ``pruned``, ``failed``, ``running`` or ``lost``: killed, and tried again.
        params: by option its value as one types it.
        values: of the objectives, None where one is undefined; empty of a trial that did not finish.
        intermediate: the first objective on validation by epoch, from 1.
        started: None where it is not known.
        ended: None while it runs.
        seconds: that it took.
        folder: of the run, relative to the search's own or absolute; None where it has none.
        error: of a failed one.
        replaces: number of the lost trial that it does again.
    """

    number: int
    state: str
    params: dict[str, str]
    values: tuple[float | None, ...] = ()
    intermediate: dict[int, float] = field(default_factory=dict)
    started: datetime | None = None
    ended: datetime | None = None
    seconds: float | None = None
    folder: str | None = None
    error: str | None = None
    replaces: int | None = None

    def value(self, objective: int = 0) -> float | None:
        """Of a finished trial; None of others, and where it is undefined."""
        return self.values[objective] if self.state == "finished" and objective < len(self.values) else None

    @property
    def epochs(self) -> int:
        """The last epoch that was scored, 0 where none was."""
        return max(self.intermediate, default=0)

    @property
    def last(self) -> float | None:
        """The score of that epoch."""
        return self.intermediate[self.epochs] if self.intermediate else None


@dataclass(frozen=True)
class Study:
    """A search and its trials so far.

    Attributes:
        name: of the study.
        directions: ``maximize`` or ``minimize``, one for each objective.
        objectives: what is searched for: ``score``, or a path into results.json.
        sampler: what chooses the next values.
        pruner: what ends trials early.
        n_trials: finished, pruned and failed ones that it is to come to.
        space: by option where it is searched.
        overrides: the fixed words of the command.
        command: that it was started with.
        importance: by option its share of the differences in the first objective; None where it can't be told.
        trials: by number.
    """

    name: str
    directions: tuple[str, ...]
    objectives: tuple[str, ...]
    sampler: str
    pruner: str
    n_trials: int
    space: dict[str, Searched]
    overrides: tuple[str, ...]
    command: str
    importance: dict[str, float] | None
    trials: tuple[Trial, ...]

    def maximises(self, objective: int = 0) -> bool:
        """Whether more of an objective is better."""
        return self.directions[objective] == "maximize"

    def count(self, state: str) -> int:
        """Of trials in a state."""
        return sum(trial.state == state for trial in self.trials)

    @property
    def done(self) -> int:
        """Trials that count: finished, pruned or failed."""
        return sum(self.count(state) for state in ("finished", "pruned", "failed"))


def read_study(folder: Path) -> Study:
    """The record in the folder of a search.

    Raises:
        FileNotFoundError: there is none.
        OSError: it can't be read.
        RefusedError: it is none, or something in it is not what it has to be.
    """
    from fashseg.sweep.parsing import parse

    return parse(read_json(folder / NAME, MOST_BYTES))
