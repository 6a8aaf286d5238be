"""Runs in processes of their own that kill themselves, by SIGKILL, at a moment that is asked for."""

import multiprocessing
import os
import random
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

# What a run does, by the function that does it: module, name, and which of its calls count.
PHASES: dict[str, list[tuple[str, str, Callable[..., bool]]]] = {
    "step": [("fashseg.tasks.stepping", "Stepper.train_on", lambda *_: True)],
    "validation": [("fashseg.tasks.base", "Task.validation_step", lambda *_: True)],
    "checkpoint": [("fashseg.checkpoint_io", "write_atomically", lambda *_: True)],
    "table": [("fashseg.callbacks.history", "write_atomically", lambda *_: True)],
    "results": [("fashseg.run", "write_atomically", lambda *_: True)],
    "test": [("fashseg.tasks.base", "Task.test_step", lambda *_: True)],
    "page": [("fashseg.report.making", "make_page", lambda *_: True)],
}
# A bit more than each takes, so that some kills fall behind it.
SECONDS = {
    "step": 0.3,
    "validation": 0.1,
    "checkpoint": 0.01,
    "table": 0.003,
    "results": 0.003,
    "test": 0.1,
    "page": 2.0,
}


class Moment(NamedTuple):
    """So many seconds behind the beginning of a phase's call of this number, counted from 1 in a process."""

    phase: str
    call: int
    delay: float


def random_moment(calls: dict[str, int], chance: random.Random) -> Moment:
    """A moment of a run that calls each phase so often."""
    phase = chance.choice([name for name in PHASES if calls.get(name)])
    return Moment(phase, chance.randint(1, calls[phase]), chance.uniform(0, SECONDS[phase]))


def run(words: tuple[str, ...], folder: Path, moment: Moment | None = None) -> tuple[int | None, dict[str, int]]:
    """Train in ``folder`` with a process of its own, which has torch in memory already.

    Returns:
        Exit status, or minus the signal that ended it; and how often each phase was called, where it was not killed.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fashseg.train", "fashseg.experiment", "fashseg.report.making"])
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(words, str(folder), moment, send))
    process.start()
    send.close()
    try:
        calls: dict[str, int] = receive.recv()
    except EOFError:
        calls = {}
    process.join(120)
    return process.exitcode, calls


def _child(words: tuple[str, ...], folder: str, moment: Moment | None, send: Any) -> None:
    os.chdir(folder)
    for stream in (1, 2):
        os.dup2(os.open(Path(folder) / f"stream{stream}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    from fashseg import train

    calls: Counter[str] = Counter()
    for phase, functions in PHASES.items():
        for module, name, _ in functions:
            _watch(module, name, phase, calls, moment)
    status = train.main(words)
    send.send(dict(calls))
    sys.exit(status)


def _watch(module: str, name: str, phase: str, calls: Counter[str], moment: Moment | None) -> None:
    __import__(module)
    place: Any = sys.modules[module]
    *path, last = name.split(".")
    for part in path:
        place = getattr(place, part)
    function = getattr(place, last)

    def watched(*args: Any, **kwargs: Any) -> Any:
        calls[phase] += 1
        if moment and (phase, calls[phase]) == moment[:2]:
            threading.Timer(moment.delay, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
        return function(*args, **kwargs)

    setattr(place, last, watched)
