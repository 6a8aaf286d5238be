"""What ``hydra/launcher=submitit_slurm`` and ``submitit_local`` do: jobs of a sweep as jobs of a cluster.

On submitit itself: hydra-submitit-launcher ends the sweep with the first job that has no result.
"""

import contextlib
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from hydra.core.utils import JobReturn, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from fashseg.errors import FashsegError, RunError, UserError
from fashseg.launch.jobs import Ended, Job, Planned, failed, note_of, plan, plan_all, without_value
from fashseg.launch.stop import PassedOn
from fashseg.launch.submitit_task import Task
from fashseg.run import RunFolder

_OF_PROCESSES = ("timeout_min", "signal_delay_s", "gpus_per_node", "tasks_per_node", "stderr_to_stdout")
_OF_ALL_CLUSTERS = (
    *("timeout_min", "cpus_per_task", "gpus_per_node", "tasks_per_node", "mem_gb", "nodes", "name"),
    "stderr_to_stdout",
)
_SECONDS_BETWEEN_LOOKS = 1.0
_AT_A_TIME = 64


class SubmititJobs:
    """Submits jobs and waits for their ends.

    A job without a result is noted as failed, and the sweep goes on. After Ctrl-C, jobs of SLURM go on by themselves;
    those of this machine are asked to end.

    Args:
        cluster: ``slurm`` or ``local``.
        options: see `fashseg.launch.options.Submitit`.
        context: Hydra's.
        task_function: of the verb.
        config: of the sweep.
    """

    def __init__(
        self,
        cluster: str,
        options: Mapping[str, Any],
        context: HydraContext,
        task_function: TaskFunction,
        config: DictConfig,
    ) -> None:
        self.cluster = cluster
        self.options = {key: _plain(value) for key, value in options.items()}
        self._context, self._config, self._note = context, config, note_of(task_function)
        self._lock = threading.Lock()
        self._submitted: list[Any] = []
        self._threads: ThreadPoolExecutor | None = None
        self._signals = PassedOn(self._pass_on, "stopping")

    @contextlib.contextmanager
    def workers(self, n_jobs: int | None = None) -> Iterator[int]:
        """For the block, in which `submit` may be called; gives how many jobs are submitted at a time."""
        count = min(n_jobs or _AT_A_TIME, int(self.options.get("array_parallelism", _AT_A_TIME)))
        self._signals.begin()
        try:
            with ThreadPoolExecutor(count, "job") as self._threads:
                yield count
        finally:
            self._signals.end()

    def submit(self, overrides: Sequence[str], number: int) -> Future[JobReturn]:
        """Submit a job as soon as fewer than the most of them are; see `JoblibJobs.submit`."""
        assert self._threads is not None, "submit is for the block of workers()"
        setup_globals()
        planned = plan(self._context, self._config, overrides, number)

        def whole() -> JobReturn:
            if self._signals.asked:
                raise self._signals.stopped()
            with self._lock:
                (job,) = self._submit([planned])
            return self._end_of(job, planned)

        return self._threads.submit(whole)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        """All jobs of a batch, submitted together; waits for the last one's end."""
        planned = plan_all(self._context, self._config, job_overrides, initial_job_idx)
        with self.workers(len(planned)):
            jobs = self._submit(planned)
            assert self._threads is not None
            futures = [self._threads.submit(self._end_of, *pair) for pair in zip(jobs, planned, strict=True)]
            return [future.result() for future in futures]

    def _submit(self, planned: Sequence[Planned]) -> list[Any]:
        try:
            executor = self._executor()
            # What sbatch says is in the error, too.
            with contextlib.redirect_stderr(io.StringIO()), executor.batch():
                jobs = [executor.submit(Task(one)) for one in planned]
        except (RuntimeError, NameError, ValueError, AssertionError, OSError) as error:
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise UserError(
                f"hydra/launcher=submitit_{self.cluster}: the jobs can't be submitted: {reason}",
                "What is asked of the cluster: hydra.launcher.partition= and others; all: --cfg hydra.",
            ) from error
        self._submitted += jobs
        for job, one in zip(jobs, planned, strict=True):
            print(f"[{one.number}] is job {job.job_id}; it writes to {os.path.relpath(job.paths.stdout)}", flush=True)
        return jobs

    def _executor(self) -> Any:
        """Submitit's, with the options by its names for them."""
        import submitit

        options = {key: value for key, value in self.options.items() if value is not None}
        folder, timeouts = options.pop("submitit_folder"), options.pop("max_num_timeout")
        executor: Any
        if self.cluster == "local":
            # Its processes take what cores and memory they find.
            executor = submitit.LocalExecutor(folder, max_num_timeout=timeouts)
            executor.update_parameters(**{key: options[key] for key in _OF_PROCESSES if key in options})
            return executor
        cores = ["export SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-}"]  # unknown to srun from SLURM 22.05 on
        options["setup"] = [*(cores if "cpus_per_task" in options else []), *options.get("setup", [])]
        options["additional_parameters"] = {"requeue": True, **options.get("additional_parameters", {})}
        executor = submitit.AutoExecutor(folder, cluster="slurm", slurm_max_num_timeout=timeouts)
        executor.update_parameters(
            **{key if key in _OF_ALL_CLUSTERS else f"slurm_{key}": value for key, value in options.items()}
        )
        return executor

    def _end_of(self, job: Any, planned: Planned) -> JobReturn:
        while not job.done():
            if self._signals.asked and self.cluster == "slurm":
                raise self._signals.stopped()
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        try:
            ended: Ended = job.results()[0]
            _say_end(planned, ended)
        except Exception as error:  # submitit's, or of reading what a job has left
            if self._signals.asked:
                raise self._signals.stopped() from None
            ended = self._without_result(job, planned, error)
        finally:
            with self._lock:
                self._submitted.remove(job)
        self._note(Job(RunFolder(planned.folder), ended.exit_status, planned.number))
        return ended.returned

    def _without_result(self, job: Any, planned: Planned, error: Exception) -> Ended:
        folder = RunFolder(planned.folder)
        last = (str(error).strip().splitlines() or [""])[0]
        said = RunError(
            f"job {planned.number} ended without a result ({job.state}): {last}",
            f"Its output: {os.path.relpath(job.paths.stderr)}; where it was saved, it goes on by resume={folder.path}.",
        )
        _say(planned, str(said))
        with contextlib.suppress(FashsegError):
            if folder.read_results()["status"] == "interrupted":
                return Ended(without_value(planned), said.exit_status, stopped=True)
        return failed(planned, said)

    def _pass_on(self, count: int) -> bool:
        if self.cluster == "slurm":
            numbers = " ".join(sorted({job.job_id.partition("_")[0] for job in self._submitted}))
            os.write(2, f"jobs of SLURM go on by themselves; to end them: scancel {numbers}\n".encode())
            return False
        for job in self._submitted:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(job.job_id), signal.SIGTERM if count < 3 else signal.SIGKILL)
        return bool(self._submitted)


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _say(planned: Planned, text: str) -> None:
    print("\n".join(f"[{planned.number}] {line}" for line in text.splitlines()), file=sys.stderr, flush=True)


def _say_end(planned: Planned, ended: Ended) -> None:
    if ended.exit_status == 0:
        value = ended.returned.return_value
        print(f"[{planned.number}] finished" + ("" if value is None else f", validation score {value:.4f}"), flush=True)
        return
    with contextlib.suppress(FashsegError):
        _say(planned, f"error: {RunFolder(planned.folder).read_results().get('error')}")
