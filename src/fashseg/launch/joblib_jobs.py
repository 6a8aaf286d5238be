"""What ``hydra/launcher=joblib`` does: jobs of a sweep side by side on this machine. Imports no torch."""

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

from hydra.core.utils import JobReturn, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from fashseg.launch.jobs import note_of, plan, plan_all
from fashseg.launch.pool import Pool
from fashseg.launch.shares import in_words, shares, this_machine


class JoblibJobs:
    """Starts jobs; see `Pool` for how they end.

    Args:
        n_jobs: at most so many at a time; -1 for as many as make sense here.
        pin: give each cores of its own.
        context: Hydra's.
        task_function: of the verb.
        config: of the sweep.
    """

    def __init__(
        self, n_jobs: int, pin: bool, context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.n_jobs, self.pin = n_jobs, pin
        self._context, self._config = context, config
        self._note = note_of(task_function)
        self._pool: Pool | None = None

    def workers(self, n_jobs: int | None = None) -> contextlib.AbstractContextManager[int]:
        """Workers, for the block, in which `submit` may be called; gives their number.

        At its end all submitted jobs have ended, and the processes, too. A signal in the block is passed on to the
        jobs, and from then on futures raise `fashseg.stopping.Stopped`; where there is no job, the signal itself does.

        Args:
            n_jobs: of them, where the launcher's own n_jobs is -1; in any case no more than these.
        """
        return self._workers(n_jobs or -1, n_jobs, [self._config.trainer])

    @contextlib.contextmanager
    def _workers(self, n_jobs: int, at_most: int | None, trainers: Sequence[Any]) -> Iterator[int]:
        """Shares are for those of the jobs that need most."""
        devices = [trainer.devices for trainer in trainers]
        found = shares(
            self.n_jobs if self.n_jobs > 0 else n_jobs,
            this_machine(),
            use_gpus=any(trainer.accelerator in ("auto", "gpu") for trainer in trainers),
            processes=max(devices) if all(isinstance(number, int) for number in devices) else None,
            pin=self.pin,
            at_most=at_most,
        )
        print(f"jobs: {in_words(found)}", flush=True)
        with Pool(found, self._note) as self._pool:
            try:
                yield len(found)
            finally:
                self._pool = None

    def submit(self, overrides: Sequence[str], number: int) -> Future[JobReturn]:
        """Run a job as soon as a worker is free, within `workers`.

        The value that its future returns is the validation score; None where the job failed: results.json of its folder
        says why.

        Args:
            overrides: of the job, those that all jobs have included.
            number: of the job, which its folder is named for.
        """
        assert self._pool is not None, "submit is for the block of workers()"
        setup_globals()
        return self._pool.submit(plan(self._context, self._config, overrides, number))

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        """All jobs of a batch, from the first to the last."""
        planned = plan_all(self._context, self._config, job_overrides, initial_job_idx)
        with self._workers(-1, len(planned), [job.composed.trainer for job in planned]):
            assert self._pool is not None
            futures = [self._pool.submit(job) for job in planned]
            return [future.result() for future in futures]
