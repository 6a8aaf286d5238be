"""Signals that ask a process to end as one exception, so that a run can save its state and say how to go on."""

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

# Ctrl-C; a termination; what SLURM sends ahead of the end of a job's time (sbatch --signal=USR1@60).
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name))


def heed_only(*names: str) -> None:
    """From now on take these signals alone, by name, for such; for a process that another one stops."""
    global SIGNALS
    SIGNALS = tuple(getattr(signal, name) for name in names)


class Stopped(BaseException):
    """The process was asked to end.

    Args:
        signal_number: the signal that asked.

    Attributes:
        exit_status: 130 for Ctrl-C, 143 for a termination, 138 for SIGUSR1.
        goes_on: whether whoever sent the signal has the run go on by itself, as submitit does, by SIGUSR2.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.signal_number = signal_number
        self.exit_status = 128 + signal_number
        self.goes_on = signal_number == getattr(signal, "SIGUSR2", None)


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Raise `Stopped` in the block where a signal asks to end."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def as_it_came() -> Iterator[None]:
    """Raise the `Stopped` that a signal was, where a library has made an error of its own of it on the way.

    OmegaConf does, where a signal finds it between two states of a node.
    """
    try:
        yield
    except Exception as error:
        behind: BaseException | None = error
        while behind is not None and not isinstance(behind, Stopped):
            behind = behind.__cause__ or behind.__context__
        if behind is None:
            raise
        raise behind from None


@contextlib.contextmanager
def not_now() -> Iterator[None]:
    """Keep a signal until the end of the block: an exception inside a compiled module's import aborts the process."""
    kept: list[int] = []
    before = {number: signal.signal(number, lambda which, _frame: kept.append(which)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if kept:
        signal.raise_signal(kept[0])


class StopRequest:
    """Between `begin` and `end` a first signal is noted in place of being raised; a second one is raised.

    For work that has to come to a good place first.

    Args:
        notice: what is written to standard error at the first signal.

    Attributes:
        signal_number: the signal that was sent; None while there was none.
    """

    def __init__(self, notice: str) -> None:
        self.notice = notice
        self.signal_number: int | None = None
        self._before: dict[int, object] = {}

    def begin(self) -> None:
        """Take over all signals that ask to end."""
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}

    def end(self) -> None:
        """Give them back; to do so twice is no error."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before = {}

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.signal_number is not None:
            raise Stopped(number)
        self.signal_number = number
        # Not print: the signal may have come in the middle of one.
        with contextlib.suppress(BrokenPipeError):
            os.write(2, f"{self.notice}\n".encode())
