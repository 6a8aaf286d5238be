"""What a worker process does: it takes its share of the machine, runs jobs, and ends when its parent has.

Imports no torch at the start: how many threads it uses follows from the share.
"""

import contextlib
import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from hydra import version
from hydra.core.utils import JobRuntime, run_job, setup_globals
from omegaconf import DictConfig

from fashseg import stopping
from fashseg.ending import explain
from fashseg.launch.jobs import Ended, Job, Planned, failed, without_value
from fashseg.launch.lines import lines_of_job
from fashseg.plugins import load_plugins
from fashseg.run import RunFolder
from fashseg.stopping import Stopped, stoppable

SECONDS_TO_END = 20.0
"""What a job has to save its state and to say so when the parent is gone."""


def begin(parent: int, cores: tuple[int, ...]) -> None:
    """Once in each worker.

    Args:
        parent: its process.
        cores: the only ones to run on; empty for all.
    """
    if cores and hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):  # taken from the container in the meantime
            os.sched_setaffinity(0, cores)
    # Ctrl-C reaches every process of the terminal: the parent alone says who stops, by a termination.
    stopping.heed_only("SIGTERM")
    for name in ("SIGINT", "SIGUSR1"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """Stop as when asked to, and after some time in any case, when the parent is gone: however it ended."""
    while os.getppid() == parent:
        time.sleep(0.5)
    with contextlib.suppress(OSError, ValueError):  # nobody reads any more
        sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_END / 2)
    os.kill(os.getpid(), signal.SIGTERM)  # without a page, if it was at that
    time.sleep(SECONDS_TO_END / 2)
    os.kill(os.getpid(), signal.SIGKILL)


def run(planned: Planned, apart: bool = True) -> Ended:
    """A job from its beginning to its end, whatever that is.

    Args:
        planned: the job.
        apart: put its number before the lines that it prints.
    """
    done: list[Job] = []
    folder = RunFolder(planned.folder)

    def task(composed: DictConfig) -> float | None:
        from fashseg.train import job

        return job(composed, done)

    lines = lines_of_job(planned.number) if apart else contextlib.nullcontext()
    with lines, _crashes_in(folder.log):
        try:
            with stoppable():
                load_plugins(list(planned.composed.get("plugins") or ()))
                version.setbase("1.3")  # as hydra.main has it in cli.py
                setup_globals()
                JobRuntime.instance().set("name", planned.composed.hydra.job.name)
                returned = run_job(
                    hydra_context=planned.context,
                    task_function=task,
                    config=planned.composed,
                    job_dir_key="hydra.sweep.dir",
                    job_subdir_key="hydra.sweep.subdir",
                )
        except Stopped as stopped:
            return Ended(without_value(planned), stopped.exit_status, stopped=True)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
            return Ended(without_value(planned), status, stopped=status - 128 in stopping.SIGNALS)
        except Exception as failure:
            error = explain(failure, folder)
            print(error, file=sys.stderr)
            return failed(planned, error)
    return Ended(returned, done[0].exit_status if done else 1)


@contextlib.contextmanager
def _crashes_in(log: Path) -> Iterator[None]:
    """Where a library ends the process, the place in the program is written to the log of the run."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        file = log.open("a", encoding="utf-8")
    except OSError:
        yield  # the job will say it
        return
    with file:
        faulthandler.enable(file)
        try:
            yield
        finally:
            faulthandler.disable()
