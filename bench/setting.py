"""What the side-by-side measurements share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.children import Child, run_module
from bench.ratios import Ratio, paired

Sides = Mapping[str, Callable[[], Child]]
Found = Mapping[str, Sequence[Child]]


@dataclass(frozen=True)
class Setting:
    """What all measurements share.

    Attributes:
        root: the data root.
        plain_root: the same for torchvision, which unpacks files where they are.
        rounds: how often each side is measured.
        threads: of each process.
        quick: little of everything.
        speedrun: experiment preset that reaches 90%.
    """

    root: Path
    plain_root: Path
    rounds: int = 3
    threads: int = 1
    quick: bool = False
    speedrun: str = "speedrun"

    def child(self, module: str, *words: object) -> Callable[[], Child]:
        """A script to run, when it is called."""
        return lambda: run_module(module, *map(str, words), threads=self.threads)


def ratio_of(found: Found, other: str, key: str) -> Ratio:
    """How often the ``other`` side's figure goes into the project's, by name of the figure in the result."""
    return paired(*([child.result[key] for child in found[name]] for name in ("project", other)))


def median_of(children: Sequence[Child], key: str) -> float:
    """A figure of the results; of an even number of them the upper one in the middle."""
    values = sorted(child.result[key] for child in children)
    return float(values[len(values) // 2])
