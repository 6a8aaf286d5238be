"""Ratios of things that were measured in pairs, and rounds of measurements that take turns."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Ratio:
    """How often one thing goes into another, once for each pair."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Of the pairs."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{self.median:.3g}"
        return f"{self.median:.3g} ({min(self.values):.3g} to {max(self.values):.3g})"


def paired(above: Sequence[float], below: Sequence[float]) -> Ratio:
    """``above / below``, pair by pair."""
    return Ratio(tuple(a / b for a, b in zip(above, below, strict=True)))


def take_turns(sides: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Measure all sides in each round, every second round in reverse, so that no side has the better moments."""
    found: dict[str, list[T]] = {name: [] for name in sides}
    for number in range(rounds):
        names = list(sides)
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(sides[name]())
    return found
