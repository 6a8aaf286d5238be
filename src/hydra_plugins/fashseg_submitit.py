"""``hydra/launcher=submitit_slurm`` and ``submitit_local``, as Hydra looks for them; see `fashseg.launch`."""

from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

if TYPE_CHECKING:  # Hydra imports this file at each start of each verb
    from fashseg.launch.submitit_jobs import SubmititJobs


class SlurmLauncher(Launcher):
    """Jobs of a SLURM cluster.

    Args:
        options: see `fashseg.launch.options.SubmititSlurm`.
    """

    cluster = "slurm"

    def __init__(self, **options: Any) -> None:
        self.options = options
        self._jobs: SubmititJobs

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before the others."""
        from fashseg.launch.submitit_jobs import SubmititJobs

        self._jobs = SubmititJobs(self.cluster, self.options, hydra_context, task_function, config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Called by sweepers: all jobs of a batch."""
        return self._jobs.launch(job_overrides, initial_job_idx)

    def workers(self, n_jobs: int | None = None) -> AbstractContextManager[int]:
        """See `fashseg.launch.submitit_jobs.SubmititJobs.workers`."""
        return self._jobs.workers(n_jobs)

    def submit(self, overrides: Sequence[str], number: int) -> Future[JobReturn]:
        """See `fashseg.launch.submitit_jobs.SubmititJobs.submit`."""
        return self._jobs.submit(overrides, number)


class LocalLauncher(SlurmLauncher):
    """Processes of this machine, as if they were jobs of a cluster."""

    cluster = "local"
