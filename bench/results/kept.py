"""The files in docs/results: what they are called, and what they say.

``PRESET_seedN.json`` is a run of a preset; ``ablations/PRESET/VARIANT_seedN.json`` one of its recipe with something
changed, ``VARIANT_foldM_seedN.json`` one fold of a cross-validation. The variant ``preset`` is the recipe itself, where
it is run otherwise than for the tables: by folds, or for fewer epochs.
"""

import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashseg.errors import UserError
from fashseg.summary import class_scores, main_score
from fashseg.untrusted import read_json

FOLDER = Path(__file__).parents[2] / "docs" / "results"
ABLATIONS = "ablations"
ITSELF = "preset"
"""The variant that nothing is changed in."""

_NAME = re.compile(r"(?P<name>[a-z0-9_.]+?)(_fold(?P<fold>\d+))?_seed(?P<seed>\d+)\.json")
NAMES = re.compile(r"[a-z0-9_]+", re.ASCII)


@dataclass(frozen=True)
class Kept:
    """One file.

    Attributes:
        name: of the preset or the variant.
        fold: of a cross-validation, or None.
        seed: of the run.
        results: its content.
    """

    name: str
    fold: int | None
    seed: int
    results: dict[str, Any]

    @property
    def task(self) -> str:
        """``classification`` or ``segmentation``."""
        return str(self.results["task"])

    @property
    def draw(self) -> tuple[int, int]:
        """Fold and seed, by which runs of two settings are paired."""
        return (-1 if self.fold is None else self.fold, self.seed)

    @property
    def validated_on(self) -> str | None:
        """The fingerprint of the images that validate; of those of one seed and fold, where a split has its own."""
        fingerprints = self.results.get("fingerprints")
        return fingerprints.get("val") if isinstance(fingerprints, dict) else None

    @property
    def draw_in_words(self) -> str:
        """``fold 0, seed 1``."""
        return f"seed {self.seed}" if self.fold is None else f"fold {self.fold}, seed {self.seed}"

    @property
    def torch(self) -> str:
        """Version of PyTorch."""
        return str(self.results.get("versions", {}).get("torch", "an unknown version"))

    @property
    def gone_on(self) -> bool:
        """Whether it was trained in several goes, by ``resume=``."""
        return bool(self.results.get("resumed"))

    def scores(self, part: str, *, flips: bool = False) -> dict[str, Any] | None:
        """All scores of a part, with ``flips`` those with mirror images; None where there are none."""
        found = (self.results.get("flips", {}) if flips else self.results).get(part)
        return found if isinstance(found, dict) else None

    def main(self, part: str, *, flips: bool = False) -> float | None:
        """The main score of a part, or None."""
        scores = self.scores(part, flips=flips)
        return None if scores is None else main_score(self.task, scores)

    def by_class(self, part: str) -> dict[str, float | None]:
        """The main score class by class."""
        scores = self.scores(part)
        return {} if scores is None else dict(class_scores(self.task, scores))


def file_name(name: str, fold: int | None, seed: int) -> str:
    """What a file is called."""
    return f"{name}{'' if fold is None else f'_fold{fold}'}_seed{seed}.json"


def read_presets(folder: Path = FOLDER) -> dict[str, list[Kept]]:
    """Runs by preset, in the order of their seeds."""
    return _read(folder)


def read_ablations(preset: str, folder: Path = FOLDER) -> dict[str, list[Kept]]:
    """Runs by variant of a preset, in the order of folds and seeds."""
    return _read(folder / ABLATIONS / preset)


def read_variant(preset: str, variant: str, folder: Path, but: Path) -> list[Kept]:
    """Runs of a variant, all but one file, in the order of folds and seeds."""
    return _read(folder / ABLATIONS / preset, variant, but).get(variant, [])


def _read(folder: Path, only: str | None = None, but: Path | None = None) -> dict[str, list[Kept]]:
    runs = []
    for path in sorted(folder.glob("*.json")):
        found = _NAME.fullmatch(path.name)
        if not found or path == but or only not in (None, found["name"]):
            continue  # of another kind
        try:
            results = read_json(path)
            fold = None if found["fold"] is None else int(found["fold"])
            run = Kept(found["name"], fold, int(found["seed"]), results)
            if run.main("val") is None:
                raise ValueError("it has no validation scores")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path} can't be used: {error}.", "Keep the run again.") from error
        runs.append(run)
    by_name: dict[str, list[Kept]] = {}
    for run in sorted(runs, key=lambda run: (run.name, run.draw)):
        by_name.setdefault(run.name, []).append(run)
    return by_name


def mean_and_deviation(values: Iterable[float | None]) -> tuple[float, float | None] | None:
    """Mean and sample standard deviation, None of one value; None where there are no values."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else None


def score_in_words(task: str, score: tuple[float, float | None] | float | None, *, signed: bool = False) -> str:
    """An accuracy in percent, an average precision as it is, with what it spreads by; empty where there is none.

    Args:
        task: of the score.
        score: a mean and its deviation, or a number.
        signed: with its sign, as differences are.
    """
    if score is None:
        return ""
    mean, deviation = score if isinstance(score, tuple) else (score, None)
    factor, digits = (100, 2) if task == "classification" else (1, 3)
    text = f"{factor * mean:{'+' if signed else ''}.{digits}f}"
    return text if deviation is None else f"{text} ± {factor * deviation:.{digits}f}"


def draws_in_words(runs: Sequence[Kept]) -> str:
    """``3 seeds``, ``5 folds``, ``5 folds × 2 seeds``."""
    folds, seeds = len({run.fold for run in runs}), len({run.seed for run in runs})
    by_fold = any(run.fold is not None for run in runs)
    parts = [f"{folds} fold{'s' * (folds > 1)}"] if by_fold else []
    if seeds > 1 or not by_fold:
        parts.append(f"{seeds} seed{'s' * (seeds > 1)}")
    return " × ".join(parts)
