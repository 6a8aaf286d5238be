"""The leader's own way: it starts the other processes of a job on this machine, and ends them with itself.

A follower gets the job through its standard input, which stays open as long as the leader lives: whichever way a
leader ends, the system closes it, and the follower ends too. Its report comes back through its standard output.
"""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from fashseg.ending import how_to_go_on, is_lost, note_failure
from fashseg.errors import FashsegError, RunError, UserError
from fashseg.ranks.company import InGroup
from fashseg.ranks.places import OURS, Place
from fashseg.run import RunFolder

log = logging.getLogger(__name__)

LEAVE = 30.0
"""Seconds that a process has to end when the others have."""


class Crew(InGroup):
    """Starts ``world - 1`` followers, which load what they need while the leader looks at the data.

    Args:
        world: number of processes, this one included.
        folder: of the run.
    """

    def __init__(self, world: int, folder: RunFolder) -> None:
        super().__init__(Place(0, world, 0, world, starter="fashseg"))
        self.folder = folder
        self._left = threading.Event()
        self.followers = [_Follower(rank, world, folder) for rank in range(1, world)]
        for follower in self.followers:
            threading.Thread(target=self._follow, args=(follower,), daemon=True).start()

    def hand_over(self, job: Mapping[str, Any]) -> Any:
        """Open a store on a free port of the loopback, which no other job can have, and tell it with the job."""
        from fashseg.ranks.stores import open_store

        store, port = open_store(self.place.world)
        for follower in self.followers:
            follower.tell({**job, "port": port})
        return store

    def watch(self) -> None:
        """Raise the error of a follower that has ended already."""
        for follower in self.followers:
            if follower.ended.is_set():
                what = f"process {follower.rank + 1} of {self.place.world} has ended before it began."
                raise follower.error() or RunError(what, how_to_go_on(self.folder))

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._left.set()
        try:
            if error is not None:
                with contextlib.suppress(Exception):
                    super().__exit__(kind, error, trace)
                cause = self._cause() if is_lost(error) else None
                if cause is not None:
                    raise cause from error
                return
            super().__exit__(None, None, None)
            self._wait(LEAVE)
        finally:
            self._end()

    def _cause(self) -> FashsegError | None:
        """Why a follower has ended, where one has: the leader notices it by a connection that breaks."""
        deadline = time.monotonic() + LEAVE
        while time.monotonic() < deadline:
            for follower in self.followers:
                if error := follower.error():
                    return error
            if all(follower.ended.is_set() or follower.report for follower in self.followers):
                return None
            time.sleep(0.05)
        return None

    def _follow(self, follower: "_Follower") -> None:
        """In a thread of its own: read the report, and see that nobody waits for a process that is gone."""
        follower.wait()
        error = follower.error()
        if error is not None and not self._left.wait(LEAVE):
            self._give_up(error)

    def _give_up(self, error: FashsegError) -> None:
        """This process waits for one that is gone, in code that no exception reaches, such as NCCL's."""
        note_failure(self.folder, error)
        print(error, file=sys.stderr, flush=True)
        self._end()
        os._exit(error.exit_status)

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for follower in self.followers:
            follower.ended.wait(max(0.0, deadline - time.monotonic()))

    def _end(self) -> None:
        for follower in self.followers:
            follower.let_go()
        self._wait(5)
        for follower in self.followers:
            follower.kill()


class _Follower:
    """A started process, from the leader's side."""

    def __init__(self, rank: int, world: int, folder: RunFolder) -> None:
        self.rank, self.world, self.folder = rank, world, folder
        self.report: dict[str, Any] = {}
        self.ended = threading.Event()
        environment = {**os.environ, OURS: f"{rank}/{world}"}
        # In a session of its own: the terminal's Ctrl-C is for the leader, which agrees with the others when to stop.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fashseg.ranks.follower"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def tell(self, job: Mapping[str, Any]) -> None:
        """Hand the job over; one that has ended is noticed elsewhere."""
        assert self.process.stdin
        with contextlib.suppress(OSError):
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.flush()

    def wait(self) -> None:
        """Read what it reports until it ends."""
        assert self.process.stdout
        with self.process.stdout as output:
            text = output.read()
        self.process.wait()
        with contextlib.suppress(ValueError):
            self.report = json.loads(text or b"{}")
        if self.report.get("traceback"):
            log.error("process %d of %d:\n%s", self.rank + 1, self.world, self.report["traceback"])
        self.ended.set()

    def error(self) -> FashsegError | None:
        """Why it has ended; None where it did its work, was told to end, or has not ended."""
        status, name = self.process.returncode, f"process {self.rank + 1} of {self.world}"
        if self.report.get("lost"):
            return None  # it has only seen that another one is gone
        if "what" in self.report:
            kind = UserError if self.report["exit_status"] == 2 else RunError
            return kind(f"{name}: {self.report['what']}", self.report["way_out"])
        if not status:
            return None
        if status < 0:
            reason = f"{name} was ended by {signal.Signals(-status).name}"
            perhaps = ", for memory perhaps" if -status == signal.SIGKILL else ""
            return RunError(f"{reason}{perhaps}.", how_to_go_on(self.folder))
        return RunError(f"{name} has ended with exit status {status}.", how_to_go_on(self.folder))

    def let_go(self) -> None:
        """Close its lifeline."""
        assert self.process.stdin
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def kill(self) -> None:
        """End it, if it has not ended."""
        if not self.ended.is_set():
            with contextlib.suppress(OSError):
                self.process.kill()
            self.ended.wait(5)
