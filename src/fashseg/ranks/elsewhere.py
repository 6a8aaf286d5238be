"""Processes that torchrun or srun has started beside each other: the first one leads, the others follow."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from fashseg.importing import heavy_imports
from fashseg.ranks.company import InGroup
from fashseg.ranks.places import Place


class Elsewhere(InGroup):
    """The leader of such processes.

    Args:
        place: of this process.
    """

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._given = False

    def hand_over(self, job: Mapping[str, Any]) -> Any:
        """Through a store that all know."""
        from fashseg.ranks.stores import give, store_elsewhere

        store = store_elsewhere(self.place)
        give(store, job)
        _given.append(store)
        return store


_given: list[Any] = []  # the store is open to the end of the process, for the others may be behind


def lead(place: Place, command: Callable[[], int]) -> int:
    """Run a command in the first process; where it ends without having given a job, the others end with it."""
    status = 1
    try:
        status = command()
    finally:
        if not _given:
            with contextlib.suppress(Exception), heavy_imports():
                from fashseg.ranks.stores import give, store_elsewhere

                give(store_elsewhere(place), {"end": status})
    return status
