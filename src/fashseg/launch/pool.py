"""Worker processes on this machine, one job at a time each, by joblib's loky. Imports no torch.

A pool of one process each, not one pool of all: when a process of loky's pool dies, it kills the others. And each can
be given an environment of its own: its threads, its GPU.
"""

import contextlib
import os
import queue
import re
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from hydra.core.utils import JobReturn

from fashseg.errors import RunError
from fashseg.launch import worker
from fashseg.launch.jobs import Ended, Job, Note, Planned, failed, without_value
from fashseg.launch.shares import Share
from fashseg.launch.stop import PassedOn
from fashseg.run import RunFolder

_NOTICE = "stopping the jobs; the same signal again ends them without their pages, a third one at once"


class Worker:
    """A process that runs one job after the other; a new one where it has died.

    Args:
        share: of the machine.
    """

    def __init__(self, share: Share) -> None:
        self.share = share
        self.pid: int | None = None
        self.busy = False
        self._executor: Any = None

    def start(self) -> None:
        """Start the process where there is none.

        Raises:
            BrokenProcessPool: it died at once.
        """
        if self._executor is None:
            from joblib.externals.loky import ProcessPoolExecutor

            self._executor = ProcessPoolExecutor(
                max_workers=1,
                initializer=worker.begin,
                initargs=(os.getpid(), self.share.cores),
                env=self.share.environment,
            )
            self.pid = self._executor.submit(os.getpid).result()

    def run(self, planned: Planned) -> Ended:
        """A job in the process.

        Raises:
            BrokenProcessPool: the process died.
        """
        ended: Ended = self._executor.submit(worker.run, planned).result()
        return ended

    def send(self, number: int) -> None:
        """A signal to the process, where it has a job."""
        if self.busy and self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self) -> None:
        """End the process."""
        executor, self._executor, self.pid = self._executor, None, None
        if executor is not None:
            executor.shutdown(wait=True)


class Pool:
    """Runs jobs side by side, each in a worker; a context in which signals are passed on to them.

    A job that dies is noted as failed, and nothing else is touched. After a signal, running jobs end as they do when
    they are asked to, others don't begin, and the future of each raises `Stopped`.

    Args:
        shares: one for each worker.
        note: is told of each job that has ended, in any thread.
    """

    def __init__(self, shares: Sequence[Share], note: Note) -> None:
        self.workers = [Worker(share) for share in shares]
        self._note = note
        self._free: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        for one in self.workers:
            self._free.put(one)
        self._threads = ThreadPoolExecutor(len(self.workers), "job")
        self._signals = PassedOn(self._pass_on, _NOTICE)
        self._closing = threading.Event()

    def __enter__(self) -> "Pool":
        # What loky says when it replaces a worker that has grown.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given to the executor")
        self._signals.begin()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            if kind is not None and not self._signals.asked:
                self._closing.set()
                self._pass_on(1)
            self._threads.shutdown(wait=True, cancel_futures=kind is not None)
            for one in self.workers:
                one.end()
        finally:
            self._signals.end()

    def submit(self, planned: Planned) -> Future[JobReturn]:
        """Run a job as soon as a worker is free."""
        return self._threads.submit(self._run, planned)

    @property
    def _stopping(self) -> bool:
        return self._signals.asked or self._closing.is_set()

    def _run(self, planned: Planned) -> JobReturn:
        one = self._free.get()
        try:
            ended = self._run_in(one, planned)
        finally:
            one.busy = False
            self._free.put(one)
        if ended.stopped and self._stopping:
            raise self._signals.stopped()
        self._note(Job(RunFolder(planned.folder), ended.exit_status, planned.number))
        return ended.returned

    def _run_in(self, one: Worker, planned: Planned) -> Ended:
        one.busy = True  # before it is asked whether there was a signal: one that comes now reaches the process
        if self._stopping:
            return Ended(without_value(planned), 143, stopped=True)
        try:
            one.start()
            return one.run(planned)
        except BrokenProcessPool as broken:
            one.end()
            if self._stopping:
                return Ended(without_value(planned), 143, stopped=True)
            error = _death(planned, str(broken))
            print("\n".join(f"[{planned.number}] {line}" for line in str(error).splitlines()), file=sys.stderr)
            return failed(planned, error)

    def _pass_on(self, count: int) -> bool:
        for one in self.workers:
            one.send(signal.SIGTERM if count < 3 else signal.SIGKILL)
        return any(one.busy for one in self.workers)


def _death(planned: Planned, said: str) -> RunError:
    """What is known of a process that has ended without a word.

    Args:
        planned: its job.
        said: by loky, such as "... exit codes of the workers are {SIGKILL(-9)} ...".
    """
    code = re.search(r"\{(\w+)\((-?\d+)\)", said)
    name = code[1] if code and code[1].startswith("SIG") else None
    if name == "SIGKILL":
        how = "was killed by SIGKILL, as the system does where memory runs out"
        way_out = "Have fewer jobs at a time (hydra.launcher.n_jobs=), or smaller ones; "
    else:
        how = f"was ended by {name}" if name else f"ended by itself{f' with status {code[2]}' if code else ''}"
        way_out = f"Where it was then is at the end of {RunFolder(planned.folder).log}; "
    return RunError(f"the process of job {planned.number} {how}.", f"{way_out}the other jobs go on.")
