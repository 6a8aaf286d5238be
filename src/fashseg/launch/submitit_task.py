"""What a job of submitit does, on whatever machine it is started. Imports no torch."""

import os
import signal
from typing import Any

from omegaconf import OmegaConf, open_dict

from fashseg import stopping
from fashseg.errors import FashsegError
from fashseg.launch import worker
from fashseg.launch.jobs import Ended, Planned
from fashseg.resuming import AUTO
from fashseg.run import RunFolder


class Task:
    """One job of a sweep.

    Out of time, or in the way of a job of more importance, it is asked by SIGUSR2 to save its state; then submitit has
    it queued anew, and it goes on in its folder.

    Args:
        planned: the job.
    """

    def __init__(self, planned: Planned) -> None:
        self.planned = planned

    def __call__(self) -> Ended:
        """Called by submitit, in the job."""
        # A job that prints to a file prints lines, whatever terminal it was submitted from.
        queue_anew = signal.getsignal(signal.SIGUSR2)
        stopping.heed_only("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2")
        if self._has_begun():
            with open_dict(self.planned.composed):
                OmegaConf.update(self.planned.composed, "resume", AUTO)
        ended = worker.run(self.planned, apart=False)
        if not ended.stopped:
            return ended
        if ended.exit_status == 128 + signal.SIGUSR2:
            signal.signal(signal.SIGUSR2, queue_anew)
            os.kill(os.getpid(), signal.SIGUSR2)
        # Without a result: it was cancelled, or SLURM itself starts it again.
        raise SystemExit(ended.exit_status)

    def checkpoint(self) -> Any:
        """Called by submitit to queue the job anew: the run's own folder holds what it needs to go on."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _has_begun(self) -> bool:
        folder = RunFolder(self.planned.folder)
        try:
            return folder.results.exists() and folder.read_results()["status"] != "finished"
        except FashsegError:
            return False
