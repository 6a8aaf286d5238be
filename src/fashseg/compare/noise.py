"""Whether differences between rows are more than noise: paired bootstrap intervals over the test images."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fashseg.compare.rows import Group, Row
from fashseg.compare.runs import Run
from fashseg.metrics import bootstrap
from fashseg.metrics.bootstrap import Interval, Resampled
from fashseg.report.reading import Arrays, read_evidence

# What the kept evidence may say otherwise than results.json: probabilities of 16 bits, histograms of 1024 bins.
TOLERANCE = 0.005

COVERS = (
    "Intervals hold 95% of what comes out when test images are drawn anew with replacement, the same for both sides. "
    "They cover the choice of test images, not that of the seed: with another seed each run would differ from itself."
)


@dataclass(frozen=True)
class Tested:
    """What a run said about the test images.

    Attributes:
        scores: class by class and over all, with resamples.
        fingerprint: of the images.
    """

    scores: Resampled
    fingerprint: str


@dataclass
class Noise:
    """Intervals of a group's rows.

    Attributes:
        tested: by the name of the run.
        missing: by the name of the run, why there is nothing.
        plugins: by the name of such a run, the plugins that it was trained with.
        refresh: names of runs whose evidence is there, but has to be made again.
    """

    tested: dict[str, Tested] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    plugins: dict[str, Any] = field(default_factory=dict)
    refresh: set[str] = field(default_factory=set)

    def difference(self, runs: Sequence[Run], others: Sequence[Run]) -> Interval | None:
        """Mean test score of runs less that of others; None where they can't be paired."""
        found = [self.tested.get(run.name) for run in (*runs, *others)]
        known = [tested for tested in found if tested is not None]
        alike = {(tested.fingerprint, tested.scores.samples.shape, tested.scores.images) for tested in known}
        if len(known) < len(found) or len(alike) != 1:
            return None
        ours, theirs = known[: len(runs)], known[len(runs) :]
        return bootstrap.difference(
            bootstrap.mean([tested.scores for tested in ours]), bootstrap.mean([tested.scores for tested in theirs])
        )

    def other_images(self, group: Group) -> bool:
        """Whether evidence is there of different sets of test images."""
        return len({self.tested[run.name].fingerprint for run in group.runs if run.name in self.tested}) > 1


def measure(group: Group, resamples: int) -> Noise:
    """Read and resample what the runs of a group said about the test images: of the rows that are shown."""
    noise = Noise()
    for run in group.runs_shown if len(group.runs) > 1 else ():
        found = _tested(run, resamples)
        if isinstance(found, Tested):
            noise.tested[run.name] = found
        else:
            noise.missing[run.name], again = found
            noise.plugins[run.name] = run.results.get("plugins")
            if again:
                noise.refresh.add(run.name)
    return noise


def _tested(run: Run, resamples: int) -> Tested | tuple[str, bool]:
    """What was found, or why nothing was and whether the evidence has to be made again."""
    path = run.folder.evidence / "test.npz"
    try:
        arrays = read_evidence(path, run.task)
        fingerprint = str(arrays["fingerprint"])
        scores = _resampled(run.task, arrays, resamples)
    except FileNotFoundError:
        return "there is no evidence/test.npz", False
    except (OSError, ValueError, KeyError) as error:
        return f"evidence/test.npz can't be read ({type(error).__name__}: {error})", True
    said = run.entry("fingerprints", "test")
    if isinstance(said, str) and said != fingerprint:
        return "evidence/test.npz is of other images than the scores", True
    if scores.samples.shape[1] != len(run.by_class("test")) + 1:
        return "evidence/test.npz is of other classes than the scores", True
    if not abs(scores.estimate[-1] - run.score("test")) <= TOLERANCE:
        return "evidence/test.npz is of other weights than the scores, or too coarse for them", True
    return Tested(scores, fingerprint)


def _resampled(task: str, arrays: Arrays, resamples: int) -> Resampled:
    if task == "classification":
        predicted, targets = (arrays[name].astype(np.int64) for name in ("predicted", "targets"))
        return bootstrap.accuracy(targets, predicted, len(arrays["confusion"]), resamples)
    return bootstrap.average_precision(arrays["histograms"], resamples)


@dataclass(frozen=True)
class Pair:
    """Two runs, or the runs of two rows, side by side.

    Attributes:
        runs: those of the better validation score.
        others: the other ones.
        names: what the two are called.
    """

    runs: tuple[Run, ...]
    others: tuple[Run, ...]
    names: tuple[str, str]

    def scores(self, name: str | None) -> tuple[float, float]:
        """Mean test score of both, over all or of a class."""
        first, second = (
            float(
                np.mean([run.score("test") if name is None else run.by_class("test").get(name, np.nan) for run in runs])
            )
            for runs in (self.runs, self.others)
        )
        return first, second


def pair_of(group: Group) -> Pair | None:
    """The two sides of a group that has exactly two: its two runs, or its two rows."""
    if len(group.runs) == 2:
        first, second = sorted(group.runs, key=lambda run: -run.score("val"))
        labels = group.labels()
        return Pair((first,), (second,), (labels[first.name], labels[second.name]))
    if len(group.rows) == 2:
        rows: tuple[Row, Row] = (group.rows[0], group.rows[1])
        names = [group.row_label(row) or group.short_name(row.runs[0]) for row in rows]
        return Pair(rows[0].runs, rows[1].runs, (names[0], names[1]))
    return None
