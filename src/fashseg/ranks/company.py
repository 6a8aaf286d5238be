"""One process's view of those that it trains with: alone, leading, or following."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from fashseg.config import Trainer
from fashseg.ranks.places import ALONE, Place


class Company:
    """Nobody else; what trains in company is a subclass.

    In its block the processes of one job train together. A leader calls the others up when all is found right.

    Attributes:
        place: of this process.
    """

    place: Place = ALONE

    def __enter__(self) -> "Company":
        return self

    def __exit__(self, *failure: Any) -> None:
        return None

    def call_up(self, job: Mapping[str, Any], options: Trainer) -> None:
        """Give the job to all followers, and come together; for a follower, come together.

        Args:
            job: plain values, what `fashseg.ranks.follower` needs.
            options: what to compute on.
        """


class InGroup(Company):
    """Several processes in torch's process group, from `call_up` to the end of the block.

    Args:
        place: of this process.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._stack = ExitStack()

    def __enter__(self) -> "InGroup":
        from fashseg.ranks.group import share_cores  # brings torch

        self._stack.enter_context(share_cores(self.place))
        return self

    def __exit__(self, *failure: Any) -> None:
        self._stack.__exit__(*failure)

    def call_up(self, job: Mapping[str, Any], options: Trainer) -> None:
        """See `Company.call_up`."""
        from fashseg.devices import accelerator
        from fashseg.ranks.group import group

        store = self.hand_over(job)
        self._stack.enter_context(group(self.place, store, accelerator(options), self.watch))

    def hand_over(self, job: Mapping[str, Any]) -> Any:
        """Give the job to the others, if this is the leader; returns the store that all are connected to."""
        raise NotImplementedError

    def watch(self) -> None:
        """Raise where others that are waited for won't come."""


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """What a follower prints nobody reads: the leader says it."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
