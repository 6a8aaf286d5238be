"""The runs of a row by fold and seed, and what they come to over both."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fashseg.compare.rows import Group, Row, fold_of
from fashseg.compare.runs import Run
from fashseg.metrics import spread
from fashseg.metrics.spread import Difference, Spread
from fashseg.text import counted

MOST_CLASSES = 256  # labels are kept in a byte


@dataclass(frozen=True)
class Crossed:
    """A row, its runs sorted out.

    Attributes:
        row: the row.
        folds: of which there are runs, ascending; empty where nothing was cross-validated.
        of: number of folds of a complete cross-validation; 0 where there are none.
        seeds: of which there are runs.
    """

    row: Row
    folds: tuple[int, ...]
    of: int
    seeds: tuple[str, ...]

    @cached_property
    def cells(self) -> dict[tuple[int | None, str], list[Run]]:
        """Runs by fold and seed; more than one where the same was run again."""
        found: dict[tuple[int | None, str], list[Run]] = {}
        for run in self.row.runs:
            known = fold_of(run)
            found.setdefault((known[0] if known else None, seed_of(run)), []).append(run)
        return found

    @property
    def missing(self) -> list[int]:
        """Folds of which there is no run."""
        return [fold for fold in range(self.of) if fold not in self.folds]

    @property
    def whole(self) -> bool:
        """Whether each seed has each fold that any has."""
        return len(self.cells) == max(1, len(self.folds)) * len(self.seeds)

    def means_of_folds(self, part: str) -> list[float]:
        """Mean score of each fold over its seeds."""
        return [
            statistics.fmean(self._mean((fold, seed), part) for seed in self.seeds if (fold, seed) in self.cells)
            for fold in self.folds
        ]

    def means_of_seeds(self, part: str) -> list[float]:
        """Mean score of each seed over the folds; of a row without folds, its score."""
        folds = self.folds or (None,)
        return [statistics.fmean(self._mean((fold, seed), part) for fold in folds) for seed in self.seeds]

    def spreads(self, part: str) -> dict[str, Spread]:
        """By what it is over, such as ``5 folds``: mean, deviation and interval."""
        folds, seeds = counted(len(self.folds), "fold"), counted(len(self.seeds), "seed")
        several = len(self.folds) > 1, len(self.seeds) > 1
        found: dict[str, Spread | None] = {}
        if several[0]:
            found[f"{folds}, each the mean of {seeds}" if several[1] else folds] = spread.over(
                self.means_of_folds(part)
            )
        if several[1] and self.whole:
            found[f"{seeds}, each the mean of {folds}" if several[0] else seeds] = spread.over(
                self.means_of_seeds(part)
            )
        if all(several) and self.whole:
            table = [[self._mean((fold, seed), part) for seed in self.seeds] for fold in self.folds]
            found[f"{folds} × {seeds}"] = spread.over_both(np.array(table, dtype=np.float64))
        return {name: value for name, value in found.items() if value is not None}

    def pooled(self) -> "Pooled | None":
        """What all folds say together about the images, each of which validates once; None where it is not known.

        Of runs on few batches it is not: they need not have looked at all images.
        """
        if not self.folds or self.missing or not self.whole or self.row.limited:
            return None
        counts = [[confusion(self.cells[fold, seed][0]) for fold in self.folds] for seed in self.seeds]
        shapes = {None if table is None else table.shape for tables in counts for table in tables}
        if None in shapes or len(shapes) != 1:
            return None
        sums = [np.sum(np.stack([table for table in tables if table is not None]), 0) for tables in counts]
        if not all(total.sum() for total in sums):
            return None
        return Pooled(
            statistics.fmean(float(total.trace() / total.sum()) for total in sums),
            statistics.fmean(_mean_iou(total) for total in sums),
            int(sums[0].sum()),
        )

    def _mean(self, cell: tuple[int | None, str], part: str) -> float:
        return statistics.fmean(run.score(part) for run in self.cells[cell])


@dataclass(frozen=True)
class Pooled:
    """Scores of the counts of all folds, the mean of seeds.

    Attributes:
        accuracy: share of images, or of pixels, that are right.
        iou: mean over the classes of intersection by union.
        count: images, or pixels, of each seed.
    """

    accuracy: float
    iou: float
    count: int


def crossed(row: Row) -> Crossed:
    """A row with its runs sorted out."""
    known = [found for run in row.runs if (found := fold_of(run))]
    # Rows hold runs of one number of folds, unless somebody has changed their files.
    of = known[0][1] if len(known) == len(row.runs) and len({of for _, of in known}) == 1 else 0
    return Crossed(
        row,
        tuple(sorted({fold for fold, _ in known})) if of else (),
        of,
        tuple(dict.fromkeys(seed_of(run) for run in row.runs)),
    )


def seed_of(run: Run) -> str:
    """The seed as it is shown."""
    return str(run.results.get("seed", "?"))


def runs_in_words(row: Row) -> str:
    """``one run``, ``3 runs with different seeds``, ``5 folds``, ``5 folds × 2 seeds``."""
    if len(row.runs) == 1:
        return "one run"
    found = crossed(row)
    if not found.folds:
        return f"{len(row.runs)} runs with different seeds"
    seeds = f" × {counted(len(found.seeds), 'seed')}" if len(found.seeds) > 1 else ""
    return f"{counted(len(found.folds), 'fold')}{seeds}"


def units_of(row: Row) -> list[str]:
    """What a standard deviation of its runs is over: folds, seeds, or both."""
    found = crossed(row)
    return [*(["folds"] if found.folds else []), *(["seeds"] if len(found.seeds) > 1 or not found.folds else [])]


def confusion(run: Run) -> npt.NDArray[np.float64] | None:
    """The counts of the validation images of a run, rows are the truth; None where there are none that can be."""
    try:
        table = np.array(run.entry("val", "confusion_matrix"))
    except ValueError:  # rows of several lengths
        return None
    square = table.ndim == 2 and 1 <= table.shape[0] == table.shape[1] <= MOST_CLASSES
    if not square or table.dtype.kind not in "iu" or table.min() < 0:
        return None
    return table.astype(np.float64)  # exact for counts; anybody's larger numbers do not wrap around


def _mean_iou(counts: npt.NDArray[np.float64]) -> float:
    right = np.diagonal(counts)
    union = counts.sum(0) + counts.sum(1) - right
    return float(np.mean(right[union > 0] / union[union > 0]))


def paired(group: Group, part: str = "val") -> list[tuple[Row, Difference | str]]:
    """Each further row against the first one, fold by fold; or why that can't be done.

    Empty where the first row has no folds.
    """
    best = crossed(group.rows[0])
    if len(best.folds) < 2:
        return []
    return [(row, _pair(best, crossed(row), part)) for row in group.shown[1:]]


def _pair(best: Crossed, other: Crossed, part: str) -> Difference | str:
    if not other.folds:
        return "it has no folds"
    if (best.of, best.folds) != (other.of, other.folds):
        return "it has other folds"
    prints = [_fingerprints(side) for side in (best, other)]
    if prints[0] is None or prints[0] != prints[1]:
        return "its folds are of other images"
    differences = np.subtract(other.means_of_folds(part), best.means_of_folds(part))
    found = spread.corrected(differences.tolist(), _ratio(best))
    return found or "a score is undefined"


def _fingerprints(side: Crossed) -> list[str] | None:
    """Of the validation images of each fold; None where they are not known, or differ within a fold."""
    found = []
    for fold in side.folds:
        own = {
            run.entry("fingerprints", "val") for (known, _), runs in side.cells.items() if known == fold for run in runs
        }
        if len(own) != 1 or not isinstance(value := own.pop(), str):
            return None
        found.append(value)
    return found


def _ratio(side: Crossed) -> float:
    """Images that validate by images that train."""
    counts = [[run.entry("images", part) for run in side.row.runs] for part in ("val", "train")]
    flat = [number for numbers in counts for number in numbers]
    if all(type(number) is int and 0 < number < 2**53 for number in flat):
        return float(math.fsum(counts[0]) / math.fsum(counts[1]))
    return 1 / (side.of - 1)


def known(rows: Sequence[Row]) -> list[Crossed]:
    """Those rows that have several folds or seeds."""
    found = [crossed(row) for row in rows if len(row.runs) > 1]
    return [side for side in found if max(len(side.folds), len(side.seeds)) > 1]
