"""Ctrl-C and a termination signal as one exception, so that a run can save its state and say how to go on."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn


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

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
