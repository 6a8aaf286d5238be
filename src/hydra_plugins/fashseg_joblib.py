"""``hydra/launcher=joblib``, as Hydra looks for it; the work is in `fashseg.launch`."""

from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

if TYPE_CHECKING:  # Hydra imports this file at each start of each verb
    from fashseg.launch.joblib_jobs import JoblibJobs


class JoblibLauncher(Launcher):
    """Jobs side by side on this machine.

    Args:
        n_jobs: at most so many at a time; -1 for as many as make sense here.
        pin: give each cores of its own.
    """

    def __init__(self, n_jobs: int, pin: bool) -> None:
        self.n_jobs, self.pin = n_jobs, pin
        self._jobs: JoblibJobs

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before the others."""
        from fashseg.launch.joblib_jobs import JoblibJobs

        self._jobs = JoblibJobs(self.n_jobs, self.pin, hydra_context, task_function, config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Called by sweepers: all jobs of a batch."""
        return self._jobs.launch(job_overrides, initial_job_idx)

    def workers(self, n_jobs: int | None = None) -> AbstractContextManager[int]:
        """See `fashseg.launch.joblib_jobs.JoblibJobs.workers`."""
        return self._jobs.workers(n_jobs)

    def submit(self, overrides: Sequence[str], number: int) -> Future[JobReturn]:
        """See `fashseg.launch.joblib_jobs.JoblibJobs.submit`."""
        return self._jobs.submit(overrides, number)
