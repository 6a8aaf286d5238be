"""Ctrl-C and a termination signal as one exception, so that a run can save its state and say how to go on."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """The process was asked to end.

    Args:
        signal_number: the signal that asked.

    Attributes:
        exit_status: 130 for Ctrl-C, 143 for a termination.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.exit_status = 128 + signal_number


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
