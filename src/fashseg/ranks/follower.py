"""A process that trains with others and does not lead: ``python -m fashseg.ranks.follower``, started by a leader.

It knows no options and no folders but those of the job that it is given. It writes nothing and prints nothing.
"""

import contextlib
import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from typing import Any

from fashseg.attempt import Attempt
from fashseg.checking import check
from fashseg.config import Train
from fashseg.ending import explain
from fashseg.errors import FashsegError
from fashseg.importing import heavy_imports
from fashseg.plugins import load_plugins
from fashseg.ranks.company import InGroup, quietly
from fashseg.ranks.places import Place, here
from fashseg.run import RunFolder
from fashseg.stopping import Stopped, stoppable


class Following(InGroup):
    """One of those that are called up.

    Args:
        place: of this process.
        store: that the leader has opened.
    """

    def __init__(self, place: Place, store: Any) -> None:
        super().__init__(place)
        self.store = store

    def hand_over(self, job: Mapping[str, Any]) -> Any:
        """The job is here already."""
        del job
        return self.store


def follow(place: Place, job: Mapping[str, Any], store: Any) -> None:
    """Do a job with the others."""
    from omegaconf import OmegaConf

    from fashseg.experiment import run_experiment
    from fashseg.references import escaped
    from fashseg.trackers.running import Trackers

    load_plugins(job["plugins"])
    composed = OmegaConf.create(escaped(job["config"]))
    run = check(Train, composed)
    folder = RunFolder(job["folder"])
    # Trackers are the leader's: here none is opened.
    with Following(place, store) as company, Trackers(run, folder) as trackers:
        run_experiment(Attempt(run, folder, composed, job["overrides"], job["resume"]), trackers, company)


def follow_elsewhere(place: Place) -> int:
    """All that a process does that torchrun or srun has started beside the first one; returns its exit status."""
    job: dict[str, Any] = {}
    try:
        with quietly(), stoppable():
            _log_nothing()
            with heavy_imports():
                from fashseg import experiment  # noqa: F401 while the leader looks at the options
                from fashseg.ranks.stores import receive, store_elsewhere

            store = store_elsewhere(place)
            job = receive(store)
            if "end" in job:
                return int(job["end"])
            follow(place, job, store)
    except Stopped as stopped:
        return stopped.exit_status
    except Exception as failure:
        error, report = _explained(failure, job)
        if not report["lost"] and not report["shared"]:
            print(f"process {place.rank + 1} of {place.world}: {error}", file=sys.stderr, flush=True)
        return error.exit_status
    return 0


def main() -> int:
    """A follower of a leader on this machine."""
    report_to = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    job: dict[str, Any] = {}
    try:
        with stoppable():
            _log_nothing()
            with heavy_imports():
                from fashseg import experiment  # noqa: F401 while the leader looks at the data
                from fashseg.ranks.stores import connect

            line = _read_line()
            if not line:
                return 0
            threading.Thread(target=_end_with_leader, daemon=True).start()
            job, place = json.loads(line), here()
            follow(place, job, connect(job["port"], place.world))
    except Stopped as stopped:
        return stopped.exit_status
    except Exception as failure:
        error, report = _explained(failure, job)
        with contextlib.suppress(OSError):
            report_to.write(json.dumps(report))
            report_to.close()  # it is read now, for to end takes a process of this size some time
        return error.exit_status
    return 0


def _explained(failure: Exception, job: Mapping[str, Any]) -> tuple[FashsegError, dict[str, Any]]:
    """An error, and what the leader is to know of it.

    ``lost``: it has only seen that another process is gone; ``shared``: all processes come to the same error.
    """
    error = explain(failure, RunFolder(job.get("folder", "")))
    return error, {
        "what": error.what,
        "way_out": error.way_out,
        "exit_status": error.exit_status,
        "lost": type(error).__name__ == "LostError",
        "shared": type(error).__name__ == "NotFiniteError",
        "traceback": "".join(traceback.format_exception(failure)),
    }


def _log_nothing() -> None:
    """The leader keeps the log."""
    logging.captureWarnings(True)
    logging.getLogger().handlers[:] = [logging.NullHandler()]


def _read_line() -> bytes:
    """The job; nothing where the leader has ended. Not by ``sys.stdin``, which would read ahead."""
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(0, 2**16)
        if not more:
            return b""
        line += more
    return line


def _end_with_leader() -> None:
    """In a thread: standard input ends when the leader does."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
