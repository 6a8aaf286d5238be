"""The jobs of a sweep, wherever they run: what each is made of, what it has come to. Imports no torch."""

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus, configure_log, setup_globals
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf, open_dict

from fashseg.config import Train
from fashseg.ending import note_failure
from fashseg.errors import FashsegError, UserError
from fashseg.files import require_writable
from fashseg.first_record import first_record
from fashseg.run import RunFolder
from fashseg.text import counted


@dataclass(frozen=True)
class Job:
    """A job that has ended.

    Attributes:
        folder: its run folder.
        exit_status: 0 where it went well.
        number: of the job in its sweep.
    """

    folder: RunFolder
    exit_status: int
    number: int = 0


Note = Callable[[Job], None]


def note_of(task_function: Any) -> Note:
    """Where a verb wants the jobs of other processes to be noted: the attribute ``note`` of its task function."""
    found: Note = getattr(task_function, "note", lambda _job: None)
    return found


@dataclass(frozen=True)
class Planned:
    """A job that has not begun.

    Attributes:
        number: of the job in its sweep.
        composed: its whole configuration, with Hydra's own node.
        folder: its run folder, in full.
        context: Hydra's, whose callbacks are told of the job.
    """

    number: int
    composed: DictConfig
    folder: Path
    context: HydraContext


@dataclass(frozen=True)
class Ended:
    """What a worker gives back of a job.

    Attributes:
        returned: as Hydra has it; its value is the validation score, None where the job failed.
        exit_status: 0 where it went well.
        stopped: whether a signal ended it.
    """

    returned: JobReturn
    exit_status: int
    stopped: bool = False


def plan(context: HydraContext, config: DictConfig, overrides: Sequence[str], number: int) -> Planned:
    """A job from the words that set it apart.

    Args:
        context: Hydra's.
        config: of the sweep.
        overrides: of the job, those that all jobs have included.
        number: of the job.
    """
    composed = context.config_loader.load_sweep_config(config, list(overrides))
    with open_dict(composed):
        composed.hydra.job.id = str(number)
        composed.hydra.job.num = number
    hydra = HydraConfig.instance()
    outer = hydra.cfg
    try:
        hydra.set_config(composed)  # for ${hydra:...}, as while the job runs
        folder = Path(str(composed.hydra.sweep.dir)) / str(composed.hydra.sweep.subdir)
    finally:
        hydra.cfg = outer
    return Planned(number, composed, folder.absolute(), context)


def plan_all(
    context: HydraContext, config: DictConfig, job_overrides: Sequence[Sequence[str]], first: int
) -> list[Planned]:
    """The jobs of a batch, numbered from ``first`` on; says how many there are, and where.

    Raises:
        UserError: two of them would have one folder, or it can't be written.
    """
    setup_globals()
    configure_log(config.hydra.hydra_logging, config.hydra.verbose)
    planned = [plan(context, config, words, number) for number, words in enumerate(job_overrides, first)]
    require_folders_of_their_own(planned)
    place = planned[0].folder.parent
    require_writable(place)
    print(f"{counted(len(planned), 'job')} in {os.path.relpath(place)}", flush=True)
    return planned


def require_folders_of_their_own(planned: Sequence[Planned]) -> None:
    """Refuse jobs that would train in one folder.

    Raises:
        UserError: ``hydra.sweep.subdir`` gives two of them the same.
    """
    taken: dict[Path, int] = {}
    for job in planned:
        if job.folder in taken:
            raise UserError(
                f"hydra.sweep.subdir={job.composed.hydra.sweep.subdir} gives jobs {taken[job.folder]} and {job.number} "
                "one folder.",
                "Leave it out: jobs are numbered.",
            )
        taken[job.folder] = job.number


def without_value(planned: Planned) -> JobReturn:
    """What Hydra is given of a job that has none: the sweep goes on."""
    overrides = OmegaConf.to_container(planned.composed.hydra.overrides.task)
    assert isinstance(overrides, list)
    returned = JobReturn(overrides=[str(word) for word in overrides], status=JobStatus.COMPLETED)
    returned.return_value = None
    return returned


def note_failed(folder: RunFolder, error: FashsegError, composed: DictConfig, overrides: Sequence[str]) -> None:
    """Status failed of a job that did not come to note it itself, perhaps not to note anything.

    Args:
        folder: of the job.
        error: why.
        composed: its configuration.
        overrides: of the job.
    """
    if folder.results.exists():
        note_failure(folder, error)
    elif not folder.is_live:  # else another run's, which is about to begin there
        with contextlib.suppress(OSError, KeyError):  # its model is of a plugin that can't be read, perhaps
            begun = first_record(cast(Train, composed), list(overrides))
            failure = {"status": "failed", "error": error.what, "exit_status": error.exit_status}
            folder.write_results(**{**begun, "plugins": list(composed.plugins), **failure})


def failed(planned: Planned, error: FashsegError) -> Ended:
    """The end of a job whose process could not say it."""
    returned = without_value(planned)
    note_failed(RunFolder(planned.folder), error, planned.composed, returned.overrides or ())
    return Ended(returned, error.exit_status)
