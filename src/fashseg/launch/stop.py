"""A signal to a process that has others work: it is passed on, and counted. Imports no torch."""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from fashseg import stopping
from fashseg.stopping import Stopped


class PassedOn:
    """Between `begin` and `end` a signal that asks to end is noted and given to whoever works.

    Args:
        pass_on: is called with how many signals there have been; gives whether anybody works. Where nobody does,
            `Stopped` is raised.
        notice: what is written to standard error at the first.

    Attributes:
        signals: that have been sent.
    """

    def __init__(self, pass_on: Callable[[int], bool], notice: str) -> None:
        self.signals: list[int] = []
        self._pass_on, self._notice = pass_on, notice
        self._before: dict[int, Any] = {}

    @property
    def asked(self) -> bool:
        """Whether there has been one."""
        return bool(self.signals)

    def begin(self) -> None:
        """Take over all signals that ask to end, where this is the main thread."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in stopping.SIGNALS}

    def end(self) -> None:
        """Give them back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def stopped(self) -> Stopped:
        """The exception for the first signal."""
        return Stopped(self.signals[0] if self.signals else signal.SIGTERM)

    def _note(self, number: int, _frame: Any) -> None:
        self.signals.append(number)
        if not self._pass_on(len(self.signals)):
            raise Stopped(number)
        if len(self.signals) == 1:
            os.write(2, f"{self._notice}\n".encode())
