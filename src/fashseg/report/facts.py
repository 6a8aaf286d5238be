"""Everything a run folder tells, and what follows from it. Imports no torch."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf

from fashseg.plugins import is_file
from fashseg.published import PUBLISHED, Published
from fashseg.report.reading import Arrays
from fashseg.run import RunFolder
from fashseg.summary import MAIN_SCORE, class_scores, main_score
from fashseg.text import all_printable, shown_option

Row = dict[str, float | None]
PARTS = ("val", "test")


@dataclass(frozen=True)
class Scored:
    """The main score of one part.

    Attributes:
        main: accuracy, or mean average precision by logits.
        by_class: the same class by class; nan where a class is absent.
    """

    main: float
    by_class: dict[str, float]


@dataclass
class Facts:
    """What is known about a run.

    Attributes:
        folder: where it is.
        results: results.json.
        rows: of metrics.csv, numbers or None.
        config: the whole configuration; None where it can't be read.
        evidence: arrays of ``start``, ``end``, ``val`` and ``test``, see `fashseg.report.evidence`.
        network: the layers; empty where unknown.
        data: class names, colours, counts; empty where unknown.
        missing: sentences on what could not be read.
    """

    folder: RunFolder
    results: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    config: DictConfig | None = None
    evidence: dict[str, Arrays] = field(default_factory=dict)
    network: list[dict[str, Any]] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def shown_path(self) -> Path:
        """The folder as one would write it: from the current folder on where it is inside."""
        return _from_here(self.folder.path.resolve())  # not the link to the latest run

    @property
    def plugins(self) -> list[str]:
        """Those that the run was trained with, as one would give them."""
        named = self.results.get("plugins")
        names = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
        return [str(_from_here(Path(name))) if is_file(name) else name for name in names]

    @property
    def config_dir(self) -> Path | None:
        """The folder of further choices that the run was started with, as one would write it."""
        named = self.results.get("config_dir")
        return _from_here(Path(named)) if isinstance(named, str) and named else None

    @property
    def task(self) -> str:
        """``classification`` or ``segmentation``."""
        return str(self.results["task"])

    @property
    def classifies(self) -> bool:
        """Whether each image has one class."""
        return self.task == "classification"

    @property
    def score_name(self) -> str:
        """The main score, a key of results.json."""
        return MAIN_SCORE[self.task]

    @property
    def score_label(self) -> str:
        """The main score in words."""
        return "accuracy" if self.classifies else "average precision by logits"

    @property
    def finished(self) -> bool:
        """Whether it has been trained and tested to its end."""
        return bool(self.results["status"] == "finished")

    @property
    def overfits(self) -> bool:
        """Whether all parts are the same few images."""
        return self.config is not None and bool(OmegaConf.select(self.config, "trainer.overfit_batches"))

    @property
    def other_loss(self) -> str | None:
        """The options of what was minimised, where that is not the plain cross-entropy."""
        options = self._options_of("loss")
        name = options.pop("name", "cross_entropy")
        if name == "cross_entropy" and not options.get("label_smoothing"):
            return None
        return " ".join([f"loss={name}", *(f"loss.{key}={shown_option(value)}" for key, value in options.items())])

    @property
    def averaged(self) -> str | None:
        """The option that has averaged the weights, where what was scored is of averaged ones."""
        decay = self.results.get("ema_decay")
        return f"callbacks.ema.decay={decay}" if isinstance(decay, float) else None

    @property
    def mixing(self) -> str | None:
        """The options by which training images were mixed with each other; None where they were not."""
        options = self._options_of("augment")
        said = [f"augment.{key}={shown_option(options[key])}" for key in ("mixup", "cutmix") if options.get(key)]
        return " ".join(said) if said and options.get("mix_probability") else None

    def _options_of(self, group: str) -> dict[str, Any]:
        values = self.config.get(group) if self.config is not None else None
        return dict(all_printable(OmegaConf.to_container(values))) if isinstance(values, DictConfig) else {}

    @property
    def class_names(self) -> list[str]:
        """By label value."""
        names = self.data.get("info", {}).get("class_names")
        if names:
            return list(names)
        scores = next(iter(self.scored.values()), None)
        return list(scores.by_class) if scores else []

    @property
    def palette(self) -> list[str]:
        """Colours by label value; empty where the data set has none."""
        return list(self.data.get("info", {}).get("palette") or [])

    @property
    def published(self) -> Published:
        """What the report says of this data set; empty where nothing is comparable."""
        if self.results.get("limited") or self.results.get("partial"):
            return Published({}, {})
        return PUBLISHED.get(self.results.get("data", ""), Published({}, {}))

    @property
    def scored(self) -> dict[str, Scored]:
        """Validation and test as results.json has them; of an unfinished run, validation from its evidence."""
        found = {}
        for part in PARTS:
            scores = self.results.get(part)
            if scores:
                by_class = {k: math.nan if v is None else v for k, v in class_scores(self.task, scores).items()}
                found[part] = Scored(main_score(self.task, scores), by_class)
            elif (arrays := self.evidence.get(part)) and "info" in self.data:
                found[part] = self._from_evidence(arrays)
        return found

    def _from_evidence(self, arrays: Arrays) -> Scored:
        by_class = dict(zip(self.data["info"]["class_names"], arrays["class_scores"].tolist(), strict=True))
        confusion = arrays["confusion"]
        accuracy = float(confusion.trace() / confusion.sum()) if self.classifies else math.nan
        if not self.classifies and any(value == value for value in by_class.values()):  # else all classes are absent
            return Scored(float(np.nanmean(arrays["class_scores"])), by_class)
        return Scored(accuracy, by_class)

    @property
    def shown_part(self) -> str | None:
        """The part whose images are shown: test, else validation."""
        return next((part for part in ("test", "val") if part in self.evidence), None)


def _from_here(path: Path) -> Path:
    here = Path.cwd().resolve()
    return path.relative_to(here) if path.is_relative_to(here) else path
